// The package has only ES modules: Jest, which runs CommonJS, must transform it.
module.exports = { testMatch: ["**/*.jest.js"], transformIgnorePatterns: ["/node_modules/(?!cake-edge/)"] };
