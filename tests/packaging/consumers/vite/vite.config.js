// As a project of the user's would have it: nothing at all, but for the server's bundle in one file.
const config = { base: "./", ssr: { noExternal: true } };
export default config;
