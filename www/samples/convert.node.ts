/** Records a conversion from a server, with the API key. */
import { createCakeClient } from "cake-edge";

const cake = createCakeClient({
  baseUrl: process.env["CAKE_BASE_URL"] ?? "https://yourdomain.cakemarketing.com",
  apiKey: process.env["CAKE_API_KEY"] ?? "",
});

const [clickId = "", uniqueId = ""] = process.argv.slice(2);
const conversion = await cake.recordConversion({ clickId, offerId: 12345, uniqueId });
console.log(conversion.conversionId, conversion.conversionStatus, conversion.payoutText);
