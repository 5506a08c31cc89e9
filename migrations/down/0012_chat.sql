DROP TRIGGER "users_leave_conversations" ON "users";
DROP TRIGGER "sessions_tell_ended" ON "sessions";
DROP FUNCTION leave_conversations();
DROP FUNCTION tell_ended_session();
DELETE FROM "jobs" WHERE "type" in ('chat.members', 'chat.orderStatus', 'sessions.ended');
DROP TABLE "conversation_members";
DROP TABLE "conversations";
