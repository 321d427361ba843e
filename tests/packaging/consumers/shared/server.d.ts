/** The result of `walk` when all is well. */
export declare const EXPECTED: string;
export declare function walk(): Promise<string>;
