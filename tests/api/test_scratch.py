from tests.factories import *
def test_all(as_):
    c = as_("administrator")
    p = a_product(code="fibre")
    a = an_account(reference="A-X")
    r = c.post("/api/v1/quotes", {"account": "A-X", "valid_until": "2030-01-01", "lines": [{"product": "fibre", "quantity": 2, "discount_percent": "5"}]}, format="json")
    print(r.status_code, r.json())
    q = r.json()["id"]
    r = c.post(f"/api/v1/quotes/{q}/send"); print(r.status_code, r.json())
    r = c.post(f"/api/v1/orders/", {"quote": q}, format="json"); print(r.status_code, r.json())

    r = c.post(f"/api/v1/orders", {"account": "A-X", "lines": [{"product": "fibre", "quantity": "1e30"}]}, format="json"); print(r.status_code, r.json())
    r = c.post(f"/api/v1/orders", {"account": "A-X", "lines": [{"product": "fibre", "quantity": "2"}]}, format="json"); print(r.status_code, r.json())
    for u in ["accounts", "catalog/products", "catalog/products/fibre", "catalog/price-books", "catalog/price-books/default-eur", "catalog/products/fibre/price?account=A-X", "quotes", "orders", "order-lines", "tasks", "subscriptions", "orders?xx=1", "tasks?state=zz", "orders?cursor=zz", "orders?page_size=0", "nowhere", "schema/?format=json", "docs/"]:
        r = c.get("/api/v1/" + u); print(u, r.status_code, r.content[:600])
    assert 0
