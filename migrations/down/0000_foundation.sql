DROP TABLE "stock_movements", "order_status_history", "order_items", "orders", "products", "categories", "sessions", "users";
--> statement-breakpoint
DROP FUNCTION raise_app(text, text);
--> statement-breakpoint
DROP EXTENSION pg_trgm;
