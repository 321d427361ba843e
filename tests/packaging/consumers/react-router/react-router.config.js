const config = { ssr: true, buildDirectory: "built" };
export default config;
