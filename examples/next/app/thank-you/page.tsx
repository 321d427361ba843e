import { Converted } from "./converted";

export default async function ThankYou({ searchParams }: { searchParams: Promise<{ order?: string }> }) {
  const { order = "" } = await searchParams;
  return (
    <main>
      <h1>Thank you</h1>
      <Converted orderId={order} />
    </main>
  );
}
