CREATE TABLE "conversation_members" (
	"conversation_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"role" text NOT NULL,
	"version" integer NOT NULL,
	"joined_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"left_at" timestamp (3) with time zone,
	"read_seq" bigint DEFAULT 0 NOT NULL,
	"read_count" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "conversation_members_pk" PRIMARY KEY("conversation_id","user_id"),
	CONSTRAINT "conversation_members_role_check" CHECK ("conversation_members"."role" in ('customer', 'shop')),
	CONSTRAINT "conversation_members_read_check" CHECK ("conversation_members"."read_seq" >= "conversation_members"."read_count" and "conversation_members"."read_count" >= 0)
);
--> statement-breakpoint
CREATE TABLE "conversations" (
	"id" uuid PRIMARY KEY NOT NULL,
	"customer_id" uuid NOT NULL,
	"subject_type" text NOT NULL,
	"subject_id" uuid,
	"version" integer DEFAULT 1 NOT NULL,
	"closed_at" timestamp (3) with time zone,
	"head" bigint DEFAULT 0 NOT NULL,
	"message_count" bigint DEFAULT 0 NOT NULL,
	"last_message" jsonb,
	"active_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "conversations_subject_once" UNIQUE NULLS NOT DISTINCT("customer_id","subject_type","subject_id"),
	CONSTRAINT "conversations_subject_type_check" CHECK ("conversations"."subject_type" in ('order', 'product', 'support')),
	CONSTRAINT "conversations_subject_id_check" CHECK (("conversations"."subject_type" = 'support') = ("conversations"."subject_id" is null)),
	CONSTRAINT "conversations_version_check" CHECK ("conversations"."version" > 0),
	CONSTRAINT "conversations_head_check" CHECK ("conversations"."head" >= "conversations"."message_count" and "conversations"."message_count" >= 0)
);
--> statement-breakpoint
ALTER TABLE "conversation_members" ADD CONSTRAINT "conversation_members_conversation_id_conversations_id_fk" FOREIGN KEY ("conversation_id") REFERENCES "public"."conversations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "conversation_members" ADD CONSTRAINT "conversation_members_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "conversations" ADD CONSTRAINT "conversations_customer_id_users_id_fk" FOREIGN KEY ("customer_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "conversation_members_user_id_idx" ON "conversation_members" USING btree ("user_id","conversation_id");--> statement-breakpoint
CREATE INDEX "conversations_active_at_idx" ON "conversations" USING btree ("active_at","id");--> statement-breakpoint
CREATE INDEX "conversations_open_active_at_idx" ON "conversations" USING btree ("active_at","id") WHERE closed_at is null;--> statement-breakpoint
CREATE INDEX "conversations_subject_idx" ON "conversations" USING btree ("subject_type","subject_id");
--> statement-breakpoint
-- However a session ends, its sockets do: a job in the same transaction, for when nobody comes to call the objects.
CREATE FUNCTION tell_ended_session() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO jobs (id, type, payload, subject_id, request_id, relay_at)
  VALUES (gen_random_uuid(), 'sessions.ended', jsonb_build_object('userId', NEW.user_id, 'sessionId', NEW.id), NEW.user_id,
    'session.' || NEW.id, now());
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER sessions_tell_ended AFTER UPDATE OF revoked_at ON sessions
FOR EACH ROW WHEN (OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL) EXECUTE FUNCTION tell_ended_session();
--> statement-breakpoint
-- Who is an administrator no more has no place in the shop's conversations, and who is deleted in none. Of an order's
-- conversation its customer stays the customer.
CREATE FUNCTION leave_conversations() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  WITH gone AS (
    SELECT conversation_id FROM conversation_members
    WHERE user_id = NEW.id AND left_at IS NULL AND (role = 'shop' OR NEW.deleted_at IS NOT NULL)
  ), changed AS (
    UPDATE conversations SET version = version + 1, updated_at = now()
    WHERE id IN (SELECT conversation_id FROM gone) RETURNING id, version
  ), marked AS (
    UPDATE conversation_members SET left_at = now(), version = changed.version
    FROM changed WHERE conversation_id = changed.id AND user_id = NEW.id
  )
  INSERT INTO jobs (id, type, payload, subject_id, request_id, relay_at)
  SELECT gen_random_uuid(), 'chat.members', jsonb_build_object('conversationId', id), id, 'user.' || NEW.id, now() FROM changed;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER users_leave_conversations AFTER UPDATE OF role, deleted_at ON users
FOR EACH ROW WHEN ((OLD.role = 'admin' AND NEW.role <> 'admin') OR (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL))
EXECUTE FUNCTION leave_conversations();
