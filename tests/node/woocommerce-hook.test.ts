/** The hook of docs/shops.md that writes the click id into WooCommerce's order, run by PHP with WordPress's few functions. */
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const [, hook = ""] = /```html\n<\?php\n([\s\S]*?)```/.exec(readFileSync("docs/shops.md", "utf8")) ?? [];

/** What the hook calls. `sanitize_text_field` is WordPress's as far as it cuts tags and white space. */
const WORDPRESS = `
function add_action( $name, $run ) { global $actions; $actions[ $name ] = $run; }
function wp_unslash( $value ) { return is_string( $value ) ? stripslashes( $value ) : $value; }
function sanitize_text_field( $text ) { return is_scalar( $text ) ? trim( strip_tags( (string) $text ) ) : ''; }
class Order { public $meta = array(); function update_meta_data( $name, $value ) { $this->meta[ $name ] = $value; } }
`;

const CASES: readonly (readonly [posted: unknown, meta: object])[] = [
  [{ reqid: "13b9ae60-4f60-4c9e-bf75-626dca035acf" }, { _reqid: "13b9ae60-4f60-4c9e-bf75-626dca035acf" }],
  [{ reqid: "a.b_c:d-e" }, { _reqid: "a.b_c:d-e" }],
  [{}, {}],
  [{ reqid: "" }, {}],
  [{ reqid: "<b>x</b> y" }, {}],
  [{ reqid: "a\\'b" }, {}],
  [{ reqid: "x".repeat(129) }, {}],
  [{ reqid: ["x y"] }, {}],
];

const isHere = spawnSync("php", ["-v"]).status === 0;
test.skipIf(!isHere && !process.env["CI"])(
  "the order has the click id that the field has, and nothing else (needs php-cli)",
  () => {
    const run = `${WORDPRESS}${hook}
    foreach ( json_decode( getenv( 'CASES' ), true ) as $posted ) {
      $_POST = $posted;
      $order = new Order();
      $actions['woocommerce_checkout_create_order']( $order );
      echo json_encode( (object) $order->meta ), "\n";
    }`;
    const env = { ...process.env, CASES: JSON.stringify(CASES.map(([posted]) => posted)) };
    const lines = execFileSync("php", ["-d", "error_reporting=-1", "-r", run], { env, encoding: "utf8" });
    expect(
      lines
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual(CASES.map(([, meta]) => meta));
  },
);
