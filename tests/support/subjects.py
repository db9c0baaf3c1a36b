"""Requests that differ and corrections that agree: what the end-to-end tests let a user say."""

SUBJECTS = (
    "list active customers by region", "daily revenue of the last quarter", "orders that were never shipped",
    "the ten best selling products", "customers who never bought anything", "refunds per payment provider",
    "average basket value by weekday", "stock that runs out this week", "coupons used more than once",
    "sessions that ended at checkout", "newsletter sign-ups by country", "suppliers with late deliveries",
    "returns grouped by reason", "the slowest warehouse routes", "gift cards about to expire",
    "duplicate e-mail addresses", "price changes since January", "abandoned carts over 200 euros",
)  # fmt: skip
WORDS = (
    "no, always end the query with LIMIT 100",
    "you forgot again: always end the query with LIMIT 100",
    "No, always end the query with LIMIT 100.",
)
