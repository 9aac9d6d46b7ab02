// The same page of what a table's cell or a chart's mark names alone, as the server writes it (read_api/web/address.py).
const SPANS = ["month", "day"]; // columns that name a period

// The address for values by the names of their columns; null where the page is of these already.
export function narrowed(values) {
  const address = new URL(location.href);
  const asked = address.searchParams;
  const before = asked.toString();
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === undefined || value === "") continue;
    if (SPANS.includes(name)) ["from", "to"].forEach((bound) => asked.delete(bound));
    asked.set(SPANS.includes(name) ? "period" : name, value);
  }
  if (asked.toString() === before) return null;
  asked.delete("panel");
  return address.href;
}

// The dashboard of one user, who pays as the customer of the same id if at all, of the same time.
export function person(id) {
  const address = new URL("/dashboards/person", location.href);
  for (const [name, value] of new URLSearchParams(location.search)) {
    if (["company", "period", "compare", "from", "to", "as_of"].includes(name)) address.searchParams.set(name, value);
  }
  for (const name of ["user_id", "customer_id"]) address.searchParams.set(name, id);
  return address.href;
}
