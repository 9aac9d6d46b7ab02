// A sign-in link brings its token in the fragment, which browsers never send to a server: it leaves the address at once and
// is exchanged for a session. Whoever came by a link of another site brought no cookie: the page is opened once more.
const given = new URLSearchParams(location.hash.slice(1));
const company = given.get("company");
if (given.has("token")) {
  history.replaceState(null, "", location.pathname + location.search);
  document.getElementById("token").value = given.get("token");
  const next = new URL(location.href);
  if (company) next.searchParams.set("company", company);
  document.getElementById("next").value = next.pathname + next.search;
  document.getElementById("sign-in").submit();
} else {
  document.getElementById("next").value = location.pathname === "/sign-in" ? "/" : location.pathname + location.search;
  const elsewhere = document.referrer === "" || new URL(document.referrer).host !== location.host;
  if (elsewhere && location.pathname !== "/sign-in" && sessionStorage.getItem("again") !== location.href) {
    sessionStorage.setItem("again", location.href);
    location.replace(location.href);
  }
}
