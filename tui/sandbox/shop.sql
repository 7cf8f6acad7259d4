-- The sandbox's application database: a small shop with a few thousand rows.
CREATE EXTENSION pg_stat_statements;

CREATE TABLE customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL UNIQUE,
    name text NOT NULL,
    country text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    visits int NOT NULL DEFAULT 0
);
CREATE TABLE products (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sku text NOT NULL UNIQUE,
    title text NOT NULL,
    price_cents int NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE inventory (
    product_id bigint NOT NULL,
    warehouse int NOT NULL,
    quantity int NOT NULL,
    reserved int NOT NULL DEFAULT 0,
    PRIMARY KEY (product_id, warehouse)
);
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint NOT NULL,
    status text NOT NULL,
    total_cents int NOT NULL DEFAULT 0,
    placed_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE order_items (
    order_id bigint NOT NULL,
    product_id bigint NOT NULL,
    quantity int NOT NULL,
    price_cents int NOT NULL,
    PRIMARY KEY (order_id, product_id)
);
CREATE TABLE payments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id bigint NOT NULL,
    provider text NOT NULL,
    status text NOT NULL,
    captured_at timestamptz
);

INSERT INTO customers (email, name, country, created_at)
SELECT 'customer' || n || '@example.com', 'Customer ' || n,
       (ARRAY['DE', 'FR', 'PL', 'SE', 'US', 'BR', 'JP'])[1 + n % 7], now() - n * interval '37 minutes'
FROM generate_series(1, 2000) n;

INSERT INTO products (sku, title, price_cents)
SELECT 'SKU-' || lpad(n::text, 5, '0'), 'Product ' || n, 199 + (n * 7919) % 20000
FROM generate_series(1, 500) n;

INSERT INTO inventory (product_id, warehouse, quantity)
SELECT p, w, (p * 31 + w * 17) % 400 FROM generate_series(1, 500) p, generate_series(1, 3) w;

INSERT INTO orders (customer_id, status, total_cents, placed_at)
SELECT 1 + (n * 13) % 2000, (ARRAY['paid', 'paid', 'shipped', 'shipped', 'placed', 'returned'])[1 + n % 6],
       500 + (n * 104729) % 30000, now() - n * interval '4 minutes'
FROM generate_series(1, 5000) n;

INSERT INTO order_items (order_id, product_id, quantity, price_cents)
SELECT o, 1 + (o * 7 + i * 101) % 500, 1 + (o + i) % 3, 199 + ((o + i) * 7919) % 20000
FROM generate_series(1, 5000) o, generate_series(1, 2) i;

INSERT INTO payments (order_id, provider, status, captured_at)
SELECT n, (ARRAY['card', 'paypal', 'invoice'])[1 + n % 3], 'captured', now() - n * interval '4 minutes'
FROM generate_series(1, 5000) n;

-- After the rows: one check of all is quicker than a check of each.
ALTER TABLE inventory ADD FOREIGN KEY (product_id) REFERENCES products;
ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers;
ALTER TABLE order_items ADD FOREIGN KEY (order_id) REFERENCES orders ON DELETE CASCADE,
    ADD FOREIGN KEY (product_id) REFERENCES products;
ALTER TABLE payments ADD FOREIGN KEY (order_id) REFERENCES orders ON DELETE CASCADE;

-- Asked row by row it makes any report slow, and takes nothing of the machine that somebody works on.
CREATE FUNCTION exchange_rate(country text, moment timestamptz) RETURNS numeric LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_sleep(0.02);
    RETURN 1 + (length(country) + extract(day FROM moment)) / 1000;
END $$;

-- No index on orders.status and payments.order_id, on purpose: the report has something to be slow about.
CREATE INDEX orders_customer ON orders (customer_id);
CREATE INDEX orders_placed ON orders (placed_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app;
GRANT SELECT ON customers, products, inventory, orders, order_items, payments TO reporting;
ANALYZE;
