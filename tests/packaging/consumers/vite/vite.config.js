// As in a user's project: no options, except one file for the server's bundle.
const config = { base: "./", ssr: { noExternal: true } };
export default config;
