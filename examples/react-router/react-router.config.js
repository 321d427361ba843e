const config = { ssr: true };
export default config;
