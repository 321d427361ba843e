/** Plays the shop's server: writes the order from the address into the page. */
const { searchParams } = new URL(location.href);
document.body.dataset["orderId"] = searchParams.get("order") ?? "";
document.body.dataset["offerId"] = searchParams.get("offer") ?? "12345";
const place = document.getElementById("order");
if (place) place.textContent = searchParams.get("order") ?? "unknown";
