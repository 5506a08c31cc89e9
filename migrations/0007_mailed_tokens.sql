CREATE TABLE "mailed_tokens" (
	"id" uuid PRIMARY KEY NOT NULL,
	"user_id" uuid NOT NULL,
	"purpose" text NOT NULL,
	"token_hash" "bytea" NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"used_at" timestamp (3) with time zone,
	CONSTRAINT "mailed_tokens_token_hash_unique" UNIQUE("token_hash"),
	CONSTRAINT "mailed_tokens_purpose_check" CHECK ("mailed_tokens"."purpose" in ('resetPassword')),
	CONSTRAINT "mailed_tokens_token_hash_check" CHECK (length("mailed_tokens"."token_hash") = 32),
	CONSTRAINT "mailed_tokens_expires_at_check" CHECK ("mailed_tokens"."expires_at" > "mailed_tokens"."created_at")
);
--> statement-breakpoint
ALTER TABLE "mail_deliveries" DROP CONSTRAINT "mail_deliveries_template_check";--> statement-breakpoint
ALTER TABLE "mailed_tokens" ADD CONSTRAINT "mailed_tokens_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "mailed_tokens_user_id_idx" ON "mailed_tokens" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "mailed_tokens_expires_at_idx" ON "mailed_tokens" USING btree ("expires_at");--> statement-breakpoint
ALTER TABLE "mail_deliveries" ADD CONSTRAINT "mail_deliveries_template_check" CHECK ("mail_deliveries"."template" in ('orderConfirmed', 'orderShipped', 'orderCancelled', 'reportReady', 'operatorAlert', 'sessionReused', 'passwordReset', 'passwordChanged'));