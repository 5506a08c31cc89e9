CREATE TABLE "audit_events" (
	"id" uuid PRIMARY KEY NOT NULL,
	"at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"actor_id" uuid NOT NULL,
	"action" text NOT NULL,
	"subject" text NOT NULL,
	"reason" text,
	"before" jsonb,
	"after" jsonb,
	"request_id" text NOT NULL,
	CONSTRAINT "audit_events_action_check" CHECK ("audit_events"."action" ~ '^[a-zA-Z]+(\.[a-zA-Z]+)+$'),
	CONSTRAINT "audit_events_subject_check" CHECK (length("audit_events"."subject") between 1 and 200),
	CONSTRAINT "audit_events_reason_check" CHECK (length("audit_events"."reason") between 1 and 500),
	CONSTRAINT "audit_events_request_id_check" CHECK (length("audit_events"."request_id") between 1 and 128)
);
--> statement-breakpoint
CREATE TABLE "job_attempts" (
	"job_id" uuid NOT NULL,
	"attempt" integer NOT NULL,
	"started_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"ended_at" timestamp (3) with time zone,
	"outcome" text,
	"error" text,
	CONSTRAINT "job_attempts_pk" PRIMARY KEY("job_id","attempt"),
	CONSTRAINT "job_attempts_outcome_check" CHECK ("job_attempts"."outcome" in ('done', 'failed', 'lost')),
	CONSTRAINT "job_attempts_ended_check" CHECK (("job_attempts"."ended_at" is null) = ("job_attempts"."outcome" is null)),
	CONSTRAINT "job_attempts_error_check" CHECK (length("job_attempts"."error") <= 2000)
);
--> statement-breakpoint
CREATE TABLE "job_pauses" (
	"type" text PRIMARY KEY NOT NULL,
	"actor_id" uuid NOT NULL,
	"at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "job_pauses_type_check" CHECK (length("job_pauses"."type") between 1 and 100)
);
--> statement-breakpoint
CREATE TABLE "jobs" (
	"id" uuid PRIMARY KEY NOT NULL,
	"type" text NOT NULL,
	"payload" jsonb NOT NULL,
	"subject_id" uuid,
	"slot_key" text,
	"state" text DEFAULT 'pending' NOT NULL,
	"run_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"relay_at" timestamp (3) with time zone NOT NULL,
	"relays" integer DEFAULT 0 NOT NULL,
	"attempt" integer DEFAULT 0 NOT NULL,
	"lease_until" timestamp (3) with time zone,
	"failures" integer DEFAULT 0 NOT NULL,
	"lost_leases" integer DEFAULT 0 NOT NULL,
	"failed_at" timestamp (3) with time zone,
	"last_error" text,
	"request_id" text NOT NULL,
	"traceparent" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"finished_at" timestamp (3) with time zone,
	CONSTRAINT "jobs_type_check" CHECK (length("jobs"."type") between 1 and 100),
	CONSTRAINT "jobs_payload_check" CHECK (jsonb_typeof("jobs"."payload") = 'object' and length("jobs"."payload"::text) <= 100000),
	CONSTRAINT "jobs_state_check" CHECK ("jobs"."state" in ('pending', 'running', 'dead', 'done', 'discarded')),
	CONSTRAINT "jobs_lease_check" CHECK (("jobs"."state" = 'running') = ("jobs"."lease_until" is not null)),
	CONSTRAINT "jobs_finished_check" CHECK (("jobs"."state" in ('dead', 'done', 'discarded')) = ("jobs"."finished_at" is not null)),
	CONSTRAINT "jobs_failures_check" CHECK ("jobs"."failures" between 0 and 3),
	CONSTRAINT "jobs_last_error_check" CHECK (length("jobs"."last_error") <= 2000),
	CONSTRAINT "jobs_request_id_check" CHECK (length("jobs"."request_id") between 1 and 128)
);
--> statement-breakpoint
ALTER TABLE "audit_events" ADD CONSTRAINT "audit_events_actor_id_users_id_fk" FOREIGN KEY ("actor_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "job_attempts" ADD CONSTRAINT "job_attempts_job_id_jobs_id_fk" FOREIGN KEY ("job_id") REFERENCES "public"."jobs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "job_pauses" ADD CONSTRAINT "job_pauses_actor_id_users_id_fk" FOREIGN KEY ("actor_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "audit_events_subject_idx" ON "audit_events" USING btree ("subject","at");--> statement-breakpoint
CREATE INDEX "audit_events_at_idx" ON "audit_events" USING btree ("at");--> statement-breakpoint
CREATE INDEX "job_attempts_ended_at_idx" ON "job_attempts" USING btree ("ended_at");--> statement-breakpoint
CREATE UNIQUE INDEX "jobs_slot_key_unique" ON "jobs" USING btree ("slot_key") WHERE slot_key is not null;--> statement-breakpoint
CREATE INDEX "jobs_relay_idx" ON "jobs" USING btree ("relay_at") WHERE state = 'pending';--> statement-breakpoint
CREATE INDEX "jobs_lease_idx" ON "jobs" USING btree ("lease_until") WHERE state = 'running';--> statement-breakpoint
CREATE INDEX "jobs_created_at_idx" ON "jobs" USING btree ("created_at","id");--> statement-breakpoint
CREATE INDEX "jobs_state_created_at_idx" ON "jobs" USING btree ("state","created_at","id");--> statement-breakpoint
CREATE INDEX "jobs_type_created_at_idx" ON "jobs" USING btree ("type","created_at","id");--> statement-breakpoint
CREATE INDEX "jobs_subject_id_idx" ON "jobs" USING btree ("subject_id");--> statement-breakpoint
CREATE INDEX "jobs_finished_at_idx" ON "jobs" USING btree ("finished_at");--> statement-breakpoint
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = TG_TABLE_NAME || ' is append-only';
END
$$;--> statement-breakpoint
CREATE TRIGGER "audit_events_append_only" BEFORE UPDATE OR DELETE ON "audit_events" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
