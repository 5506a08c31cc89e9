CREATE TABLE "reports" (
	"id" uuid PRIMARY KEY NOT NULL,
	"first_day" date NOT NULL,
	"last_day" date NOT NULL,
	"current" boolean NOT NULL,
	"status" text DEFAULT 'pending' NOT NULL,
	"progress" smallint DEFAULT 0 NOT NULL,
	"requested_by" uuid,
	"job_id" uuid NOT NULL,
	"build_id" uuid,
	"as_of" timestamp (3) with time zone,
	"pdf_size" bigint,
	"pdf_etag" text,
	"csv_size" bigint,
	"csv_etag" text,
	"error" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"finished_at" timestamp (3) with time zone,
	CONSTRAINT "reports_period_check" CHECK ("reports"."last_day" - "reports"."first_day" between 0 and 365),
	CONSTRAINT "reports_status_check" CHECK ("reports"."status" in ('pending', 'running', 'ready')),
	CONSTRAINT "reports_progress_check" CHECK ("reports"."progress" between 0 and 100),
	CONSTRAINT "reports_ready_check" CHECK (("reports"."status" = 'ready') = (num_nulls("reports"."build_id", "reports"."as_of", "reports"."pdf_size", "reports"."pdf_etag", "reports"."csv_size",
        "reports"."csv_etag", "reports"."finished_at") = 0)),
	CONSTRAINT "reports_error_check" CHECK (length("reports"."error") <= 500)
);
--> statement-breakpoint
ALTER TABLE "reports" ADD CONSTRAINT "reports_requested_by_users_id_fk" FOREIGN KEY ("requested_by") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "reports_current_once" ON "reports" USING btree ("first_day","last_day") WHERE current;--> statement-breakpoint
CREATE INDEX "reports_created_at_idx" ON "reports" USING btree ("created_at","id");