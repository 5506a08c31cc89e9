ALTER TABLE "job_attempts" DROP CONSTRAINT "job_attempts_outcome_check";--> statement-breakpoint
ALTER TABLE "mail_deliveries" DROP CONSTRAINT "mail_deliveries_template_check";--> statement-breakpoint
ALTER TABLE "jobs" ADD COLUMN "postponed_since" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "uploads" ADD COLUMN "made" jsonb;--> statement-breakpoint
CREATE INDEX "uploads_job_id_idx" ON "uploads" USING btree ("job_id") WHERE state in ('scanning', 'processing');--> statement-breakpoint
ALTER TABLE "job_attempts" ADD CONSTRAINT "job_attempts_outcome_check" CHECK ("job_attempts"."outcome" in ('done', 'failed', 'postponed', 'lost'));--> statement-breakpoint
ALTER TABLE "mail_deliveries" ADD CONSTRAINT "mail_deliveries_template_check" CHECK ("mail_deliveries"."template" in ('orderConfirmed', 'orderShipped', 'orderCancelled', 'reportReady', 'operatorAlert', 'fileInfected', 'infectedAlert', 'sessionReused', 'passwordReset', 'passwordChanged'));--> statement-breakpoint
ALTER TABLE "uploads" ADD CONSTRAINT "uploads_made_check" CHECK ("uploads"."made" is null or ("uploads"."state" in ('processing', 'failed') and jsonb_typeof("uploads"."made") = 'object'));