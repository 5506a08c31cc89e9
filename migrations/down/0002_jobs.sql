DROP TABLE "job_attempts";
DROP TABLE "job_pauses";
DROP TABLE "jobs";
DROP TABLE "audit_events";
DROP FUNCTION refuse_change;
