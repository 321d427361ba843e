import { Outlet, Scripts } from "react-router";
import { keepClick } from "./cake-edge.server.js";

export const middleware = [({ request }, next) => keepClick(request, next)];

export default function Root() {
  return (
    <html lang="en">
      <body>
        <Outlet />
        <Scripts />
      </body>
    </html>
  );
}
