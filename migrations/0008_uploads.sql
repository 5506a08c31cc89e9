CREATE TABLE "upload_events" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "upload_events_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"upload_id" uuid NOT NULL,
	"state" text NOT NULL,
	"detail" text,
	"at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "upload_events_state_check" CHECK ("upload_events"."state" in ('receiving', 'scanning', 'processing', 'ready', 'infected', 'rejected', 'failed')),
	CONSTRAINT "upload_events_detail_check" CHECK (length("upload_events"."detail") between 1 and 500)
);
--> statement-breakpoint
CREATE TABLE "upload_remains" (
	"upload_id" uuid PRIMARY KEY NOT NULL,
	"multipart_id" text,
	"at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "uploads" (
	"id" uuid PRIMARY KEY NOT NULL,
	"owner_id" uuid NOT NULL,
	"client_id" uuid,
	"name" text NOT NULL,
	"declared_type" text NOT NULL,
	"media_type" text,
	"reserved" bigint NOT NULL,
	"size" bigint,
	"sha256" text,
	"way" text NOT NULL,
	"state" text DEFAULT 'receiving' NOT NULL,
	"expires_at" timestamp (3) with time zone,
	"etag" text,
	"multipart_id" text,
	"scan" text,
	"signature" text,
	"reason" text,
	"variants" jsonb,
	"job_id" uuid,
	"run_id" uuid,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "uploads_client_id_unique" UNIQUE("owner_id","client_id"),
	CONSTRAINT "uploads_name_check" CHECK (length("uploads"."name") between 1 and 255),
	CONSTRAINT "uploads_declared_type_check" CHECK ("uploads"."declared_type" in ('image/jpeg', 'image/png', 'image/webp', 'image/gif', 'application/pdf')),
	CONSTRAINT "uploads_media_type_check" CHECK ("uploads"."media_type" in ('image/jpeg', 'image/png', 'image/webp', 'image/gif', 'application/pdf')),
	CONSTRAINT "uploads_reserved_check" CHECK ("uploads"."reserved" >= 0),
	CONSTRAINT "uploads_size_check" CHECK ("uploads"."size" > 0),
	CONSTRAINT "uploads_sha256_check" CHECK ("uploads"."sha256" ~ '^[0-9a-f]{64}$'),
	CONSTRAINT "uploads_way_check" CHECK ("uploads"."way" in ('direct', 'presigned', 'multipart')),
	CONSTRAINT "uploads_state_check" CHECK ("uploads"."state" in ('receiving', 'scanning', 'processing', 'ready', 'infected', 'rejected', 'failed')),
	CONSTRAINT "uploads_expires_at_check" CHECK (("uploads"."state" = 'receiving') = ("uploads"."expires_at" is not null)),
	CONSTRAINT "uploads_whole_check" CHECK ("uploads"."state" not in ('scanning', 'processing', 'ready')
        or num_nulls("uploads"."media_type", "uploads"."size", "uploads"."sha256", "uploads"."etag", "uploads"."job_id") = 0),
	CONSTRAINT "uploads_scan_check" CHECK ("uploads"."scan" in ('clean', 'skipped')),
	CONSTRAINT "uploads_scanned_check" CHECK ("uploads"."state" not in ('processing', 'ready') or "uploads"."scan" is not null),
	CONSTRAINT "uploads_signature_check" CHECK (("uploads"."state" = 'infected') = ("uploads"."signature" is not null)),
	CONSTRAINT "uploads_signature_length_check" CHECK (length("uploads"."signature") between 1 and 255),
	CONSTRAINT "uploads_reason_check" CHECK (("uploads"."state" in ('rejected', 'failed')) = ("uploads"."reason" is not null)),
	CONSTRAINT "uploads_reason_length_check" CHECK (length("uploads"."reason") between 1 and 100),
	CONSTRAINT "uploads_variants_check" CHECK (("uploads"."state" = 'ready') = ("uploads"."variants" is not null) and jsonb_typeof("uploads"."variants") = 'object'),
	CONSTRAINT "uploads_multipart_id_check" CHECK (length("uploads"."multipart_id") between 1 and 2000)
);
--> statement-breakpoint
ALTER TABLE "upload_events" ADD CONSTRAINT "upload_events_upload_id_uploads_id_fk" FOREIGN KEY ("upload_id") REFERENCES "public"."uploads"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "uploads" ADD CONSTRAINT "uploads_owner_id_users_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "upload_events_upload_id_idx" ON "upload_events" USING btree ("upload_id","id");--> statement-breakpoint
CREATE INDEX "upload_remains_at_idx" ON "upload_remains" USING btree ("at");--> statement-breakpoint
CREATE INDEX "uploads_owner_created_at_idx" ON "uploads" USING btree ("owner_id","created_at","id");--> statement-breakpoint
CREATE INDEX "uploads_expires_at_idx" ON "uploads" USING btree ("expires_at") WHERE state = 'receiving';