CREATE TABLE "refresh_tokens" (
	"token_hash" "bytea" PRIMARY KEY NOT NULL,
	"session_id" uuid NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"spent_at" timestamp (3) with time zone,
	"successor_hash" "bytea",
	CONSTRAINT "refresh_tokens_token_hash_check" CHECK (length("refresh_tokens"."token_hash") = 32),
	CONSTRAINT "refresh_tokens_successor_hash_check" CHECK (length("refresh_tokens"."successor_hash") = 32),
	CONSTRAINT "refresh_tokens_spent_check" CHECK (("refresh_tokens"."spent_at" is null) = ("refresh_tokens"."successor_hash" is null))
);
--> statement-breakpoint
ALTER TABLE "mail_deliveries" DROP CONSTRAINT "mail_deliveries_template_check";--> statement-breakpoint
DROP INDEX "sessions_user_id_idx";--> statement-breakpoint
ALTER TABLE "sessions" ADD COLUMN "device" text;--> statement-breakpoint
ALTER TABLE "sessions" ADD COLUMN "last_used_at" timestamp (3) with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
ALTER TABLE "refresh_tokens" ADD CONSTRAINT "refresh_tokens_session_id_sessions_id_fk" FOREIGN KEY ("session_id") REFERENCES "public"."sessions"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "refresh_tokens_live_once" ON "refresh_tokens" USING btree ("session_id") WHERE spent_at is null;--> statement-breakpoint
CREATE INDEX "refresh_tokens_session_id_idx" ON "refresh_tokens" USING btree ("session_id");--> statement-breakpoint
CREATE INDEX "refresh_tokens_spent_at_idx" ON "refresh_tokens" USING btree ("spent_at");--> statement-breakpoint
CREATE INDEX "sessions_user_id_idx" ON "sessions" USING btree ("user_id","last_used_at","id");--> statement-breakpoint
ALTER TABLE "mail_deliveries" ADD CONSTRAINT "mail_deliveries_template_check" CHECK ("mail_deliveries"."template" in ('orderConfirmed', 'orderShipped', 'orderCancelled', 'reportReady', 'operatorAlert', 'sessionReused'));--> statement-breakpoint
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_device_check" CHECK (length("sessions"."device") between 1 and 100);