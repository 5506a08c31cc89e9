ALTER TABLE "mail_deliveries" DROP CONSTRAINT "mail_deliveries_template_check";--> statement-breakpoint
ALTER TABLE "mailed_tokens" DROP CONSTRAINT "mailed_tokens_purpose_check";--> statement-breakpoint
ALTER TABLE "mailed_tokens" ADD COLUMN "email" text;--> statement-breakpoint
ALTER TABLE "mailed_tokens" ADD COLUMN "previous_email" text;--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "verified_at" timestamp (3) with time zone;--> statement-breakpoint
-- Until now only administrators made accounts, and they vouch for the addresses.
UPDATE "users" SET "verified_at" = "created_at" WHERE "deleted_at" IS NULL;--> statement-breakpoint
ALTER TABLE "mail_deliveries" ADD CONSTRAINT "mail_deliveries_template_check" CHECK ("mail_deliveries"."template" in ('orderConfirmed', 'orderShipped', 'orderCancelled', 'reportReady', 'operatorAlert', 'sessionReused', 'passwordReset', 'passwordChanged', 'verifyEmail', 'accountExists', 'confirmNewEmail', 'emailChangeAsked', 'emailChanged', 'fileInfected', 'infectedAlert'));--> statement-breakpoint
ALTER TABLE "mailed_tokens" ADD CONSTRAINT "mailed_tokens_email_check" CHECK (("mailed_tokens"."purpose" = 'resetPassword') = ("mailed_tokens"."email" is null));--> statement-breakpoint
ALTER TABLE "mailed_tokens" ADD CONSTRAINT "mailed_tokens_purpose_check" CHECK ("mailed_tokens"."purpose" in ('resetPassword', 'verifyEmail', 'changeEmail'));