// The package is ES modules alone: Jest, which runs CommonJS, is told to transform it.
module.exports = { testMatch: ["**/*.jest.js"], transformIgnorePatterns: ["/node_modules/(?!cake-edge/)"] };
