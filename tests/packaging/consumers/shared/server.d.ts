/** What `walk` brings where all is well. */
export declare const EXPECTED: string;
export declare function walk(): Promise<string>;
