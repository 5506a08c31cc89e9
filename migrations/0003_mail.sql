CREATE TABLE "mail_deliveries" (
	"job_id" uuid PRIMARY KEY NOT NULL,
	"template" text NOT NULL,
	"user_id" uuid,
	"recipient" text,
	"status" text NOT NULL,
	"provider_id" text,
	"problem" text,
	"request_id" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "mail_deliveries_provider_id_unique" UNIQUE("provider_id"),
	CONSTRAINT "mail_deliveries_template_check" CHECK ("mail_deliveries"."template" in ('orderConfirmed', 'orderShipped', 'orderCancelled', 'reportReady', 'operatorAlert')),
	CONSTRAINT "mail_deliveries_status_check" CHECK ("mail_deliveries"."status" in ('off', 'no_recipient', 'suppressed', 'sending', 'refused', 'sent', 'delayed', 'failed', 'delivered', 'bounced', 'complained')),
	CONSTRAINT "mail_deliveries_recipient_check" CHECK (length("mail_deliveries"."recipient") between 3 and 254),
	CONSTRAINT "mail_deliveries_provider_id_check" CHECK (length("mail_deliveries"."provider_id") between 1 and 100),
	CONSTRAINT "mail_deliveries_problem_check" CHECK (length("mail_deliveries"."problem") <= 100),
	CONSTRAINT "mail_deliveries_request_id_check" CHECK (length("mail_deliveries"."request_id") between 1 and 128),
	CONSTRAINT "mail_deliveries_unsent_check" CHECK ("mail_deliveries"."provider_id" is null or "mail_deliveries"."status" not in ('off', 'no_recipient', 'suppressed', 'sending'))
);
--> statement-breakpoint
CREATE TABLE "mail_events" (
	"id" text PRIMARY KEY NOT NULL,
	"type" text NOT NULL,
	"job_id" uuid,
	"occurred_at" timestamp (3) with time zone NOT NULL,
	"received_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "mail_events_id_check" CHECK (length("mail_events"."id") between 1 and 100),
	CONSTRAINT "mail_events_type_check" CHECK (length("mail_events"."type") between 1 and 100)
);
--> statement-breakpoint
CREATE TABLE "mail_suppressions" (
	"address_hash" "bytea" PRIMARY KEY NOT NULL,
	"reason" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "mail_suppressions_hash_check" CHECK (length("mail_suppressions"."address_hash") = 32),
	CONSTRAINT "mail_suppressions_reason_check" CHECK ("mail_suppressions"."reason" in ('bounced', 'complained'))
);
--> statement-breakpoint
ALTER TABLE "mail_deliveries" ADD CONSTRAINT "mail_deliveries_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "mail_events" ADD CONSTRAINT "mail_events_job_id_mail_deliveries_job_id_fk" FOREIGN KEY ("job_id") REFERENCES "public"."mail_deliveries"("job_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "mail_deliveries_user_id_idx" ON "mail_deliveries" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "mail_deliveries_created_at_idx" ON "mail_deliveries" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "mail_events_job_id_idx" ON "mail_events" USING btree ("job_id");--> statement-breakpoint
CREATE INDEX "mail_events_received_at_idx" ON "mail_events" USING btree ("received_at");