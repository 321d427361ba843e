/** A tab in a browser context of its own, and its observations of the pages. */
import type { Chrome, ChromeEvent } from "./chrome.js";
import { isClickCookie, PAGE_COOKIE } from "./click-cookies.js";
import { type Answer, buttonScript } from "./consent-banner.js";

/** The time limit for a page to answer a question, in milliseconds. */
const ANSWER_MS = 5_000;
/** A page is quiet when it has sent no request for this long, in milliseconds. */
const QUIET_MS = 300;
/** The longest wait for a quiet page, in milliseconds: some are never quiet. */
const SETTLE_MS = 3_000;

/** The differences from a plain visit. */
export interface TabOptions {
  /** Runs before the page's own scripts. */
  readonly script?: string;
  /** Headers that are sent with each request. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The options of loading a page. */
interface LoadOptions {
  /** Wait until the page is quiet? @default true */
  readonly hasToSettle?: boolean;
}

/** An answer to a navigation. */
export interface Visit {
  readonly url: string;
  readonly status: number;
  /** The addresses that redirected. */
  readonly from: readonly string[];
  /** Why no page came. */
  readonly failure?: string;
}

/** A server's answer that sets a cookie of cake-edge. */
export interface SetCookie {
  readonly url: string;
  readonly cookie: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A refusal by a content security policy. */
export interface Violation {
  readonly directive: string;
  /** The refused address; empty for inline scripts and for WebAssembly. */
  readonly url: string;
  readonly kind: string;
}

/** A script file that could not be loaded. */
export interface FailedScript {
  readonly url: string;
  readonly why: string;
  /** Did a script of cake-edge load it? */
  readonly isOurs: boolean;
}

/** An answer to a request for an address. */
export interface Asked {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** A text that holds a click. */
export interface StoredText {
  /** The place, such as `the cookie cake_click`, `localStorage`. */
  readonly where: string;
  readonly text: string;
  /** Did a server set it, hidden from the page? */
  readonly isOfServer: boolean;
}

export class Tab {
  readonly setCookies: SetCookie[] = [];
  readonly violations: Violation[] = [];
  readonly failedScripts: FailedScript[] = [];
  /** Uncaught errors: the first line of each, and its script. */
  readonly errors: { readonly text: string; readonly url: string }[] = [];
  /** The address of a script that contains cake-edge's tracker. */
  trackerUrl: string | undefined;

  readonly #chrome: Chrome;
  readonly #context: string;
  /** The page's own frame. */
  readonly #frame: string;
  readonly #session: string;
  readonly #loadMs: number;
  readonly #stop: () => void;
  readonly #requests = new Map<string, { url: string; isScript: boolean; isOurs: boolean }>();
  readonly #open = new Set<string>();
  readonly #searches: Promise<unknown>[] = [];
  #lastRequest = Date.now();
  #document: { id: string; url: string; status: number; from: string[] } | undefined;
  #loaded: (() => void) | undefined;

  private constructor(chrome: Chrome, context: string, frame: string, session: string, loadMs: number) {
    this.#frame = frame;
    this.#chrome = chrome;
    this.#loadMs = loadMs;
    this.#context = context;
    this.#session = session;
    this.#stop = chrome.listen((event) => {
      if (event.sessionId === session) this.#hear(event);
    });
  }

  /** Opens a tab that shares nothing with other tabs; its pages may load for `loadMs`. */
  static async open(chrome: Chrome, { script, headers }: TabOptions, loadMs: number): Promise<Tab> {
    const { browserContextId } = await chrome.send("Target.createBrowserContext", { disposeOnDetach: true });
    const { targetId } = await chrome.send("Target.createTarget", { url: "about:blank", browserContextId });
    const { sessionId } = await chrome.send("Target.attachToTarget", { targetId, flatten: true });
    const tab = new Tab(chrome, browserContextId, targetId, sessionId, loadMs);
    await Promise.all([
      tab.#send("Page.enable"),
      tab.#send("Network.enable"),
      tab.#send("Runtime.enable"),
      tab.#send("Audits.enable"),
      tab.#send("Debugger.enable"),
      tab.#send("Debugger.setSkipAllPauses", { skip: true }),
      tab.#send("Page.setLifecycleEventsEnabled", { enabled: true }),
      chrome.send("Browser.setDownloadBehavior", { behavior: "deny", browserContextId }),
      headers && tab.#send("Network.setExtraHTTPHeaders", { headers }),
      script && tab.#send("Page.addScriptToEvaluateOnNewDocument", { source: script }),
    ]);
    return tab;
  }

  async close(): Promise<void> {
    this.#stop();
    await this.#chrome.send("Target.disposeBrowserContext", { browserContextId: this.#context }).catch(() => undefined);
  }

  /** Goes to an address, and waits until the page is quiet. */
  goto(url: string, options?: LoadOptions): Promise<Visit> {
    return this.#load("Page.navigate", { url }, url, options);
  }

  /** Loads the page again. */
  reload(): Promise<Visit> {
    return this.#load("Page.reload", {}, this.#document?.url ?? "");
  }

  /** The value of an expression or promise in the page; `undefined` if it throws or does not answer. */
  async evaluate<T>(expression: string): Promise<T | undefined> {
    try {
      const { result, exceptionDetails } = await this.#send(
        "Runtime.evaluate",
        { expression, awaitPromise: true, returnByValue: true },
        Math.min(ANSWER_MS, this.#loadMs),
      );
      return exceptionDetails === undefined ? (result.value as T) : undefined;
    } catch {
      return undefined;
    }
  }

  /** Looks for a banner's button in every frame, and clicks it if `isClick` is set. */
  async answer(answer: Answer, selector: string | undefined, isClick: boolean): Promise<boolean> {
    const { frameTree } = await this.#send("Page.getFrameTree");
    for (const frameId of framesOf(frameTree)) {
      try {
        const { executionContextId } = await this.#send("Page.createIsolatedWorld", { frameId });
        const { result } = await this.#send("Runtime.evaluate", {
          expression: buttonScript(answer, selector, isClick),
          contextId: executionContextId,
          returnByValue: true,
          userGesture: true,
        });
        if (result.value === true) return true;
      } catch {
        // The frame is gone.
      }
    }
    return false;
  }

  /** The texts in which cake-edge holds clicks. */
  async storedTexts(): Promise<StoredText[]> {
    const { cookies } = await this.#chrome.send("Storage.getCookies", { browserContextId: this.#context });
    const kept: StoredText[] = (cookies as { name: string; value: string; httpOnly: boolean }[])
      .filter(({ name }) => isClickCookie(name))
      .map(({ name, value, httpOnly }) => ({ where: `the cookie ${name}`, text: value, isOfServer: httpOnly }));
    const text = await this.evaluate<string>(`localStorage.getItem("${PAGE_COOKIE}") ?? ""`);
    if (text) kept.push({ where: "localStorage", text, isOfServer: false });
    return kept;
  }

  /** Removes every cookie, and cake-edge's items in localStorage. */
  async forgetClick(): Promise<void> {
    const { cookies } = await this.#chrome.send("Storage.getCookies", { browserContextId: this.#context });
    for (const { name, domain, path } of cookies as { name: string; domain: string; path: string }[]) {
      if (isClickCookie(name)) await this.#send("Network.deleteCookies", { name, domain, path });
    }
    await this.evaluate(
      `Object.keys(localStorage).filter((key) => key.startsWith("${PAGE_COOKIE}")).forEach((key) => localStorage.removeItem(key))`,
    );
  }

  /** Requests an address past the page's policy; status 0 if no answer came. */
  async ask(url: string): Promise<Asked> {
    const asked = await this.#askByBrowser(url);
    // The page's policy also holds for the browser's own request, so the address is asked from outside.
    return asked.status === 0 ? askFromHere(url, this.#loadMs) : asked;
  }

  async #askByBrowser(url: string): Promise<Asked> {
    try {
      const { frameTree } = await this.#send("Page.getFrameTree");
      const { resource } = await this.#send("Network.loadNetworkResource", {
        frameId: frameTree.frame.id,
        url,
        options: { disableCache: true, includeCredentials: true },
      });
      const headers = lowered(resource.headers);
      const answer = { status: Number(resource.httpStatusCode ?? 0), type: headers["content-type"] ?? "", body: "" };
      if (!resource.stream) return answer;
      const { data, base64Encoded } = await this.#send("IO.read", { handle: resource.stream, size: 4_096 });
      await this.#send("IO.close", { handle: resource.stream });
      return { ...answer, body: base64Encoded ? Buffer.from(data, "base64").toString() : data };
    } catch {
      return { status: 0, type: "", body: "" };
    }
  }

  /** Waits until the page is quiet, and the search for cake-edge's script is done. */
  async settle(): Promise<void> {
    const end = Date.now() + SETTLE_MS;
    while (Date.now() < end && (this.#open.size > 0 || Date.now() - this.#lastRequest < QUIET_MS)) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await Promise.all(this.#searches.splice(0));
  }

  async #load(method: string, params: object, url: string, { hasToSettle = true }: LoadOptions = {}): Promise<Visit> {
    this.#document = undefined;
    // A page that was left does not finish its requests.
    this.#open.clear();
    const loaded = new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), this.#loadMs);
      this.#loaded = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
    this.#lastRequest = Date.now();
    const late = `no page came within ${this.#loadMs / 1_000} s`;
    try {
      const { errorText } = (await this.#send(method, params, this.#loadMs)) ?? {};
      if (errorText) return { url, status: 0, from: [], failure: String(errorText) };
    } catch {
      return { url, status: 0, from: [], failure: late };
    }
    const isLoaded = await loaded;
    const { status = 0, url: at = url, from = [] } = this.#document ?? {};
    if (status === 0) {
      return { url, status, from, failure: isLoaded ? "no page came" : late };
    }
    if (isLoaded && hasToSettle) await this.settle();
    return { url: at, status, from };
  }

  #send(method: string, params: object = {}, limitMs?: number) {
    return this.#chrome.send(method, params, this.#session, limitMs);
  }

  #hear({ method, params }: ChromeEvent): void {
    switch (method) {
      case "Page.javascriptDialogOpening":
        void this.#send("Page.handleJavaScriptDialog", { accept: true }).catch(() => undefined);
        break;
      case "Page.loadEventFired":
        this.#loaded?.();
        break;
      case "Network.requestWillBeSent":
        this.#hearRequest(params);
        break;
      case "Network.responseReceived":
        if (this.#document !== undefined && params.requestId === this.#document.id) {
          this.#document.status = params.response.status;
          this.#document.url = params.response.url;
        }
        if (this.#requests.get(params.requestId)?.isScript) this.#hearScript(params);
        break;
      case "Network.responseReceivedExtraInfo":
        this.#hearHeaders(params);
        break;
      case "Network.loadingFinished":
        this.#open.delete(params.requestId);
        break;
      case "Network.loadingFailed": {
        this.#open.delete(params.requestId);
        const request = this.#requests.get(params.requestId);
        if (request?.isScript && !params.canceled) {
          const why = params.blockedReason ? `blocked, ${params.blockedReason}` : params.errorText;
          this.failedScripts.push({ url: request.url, why, isOurs: request.isOurs });
        }
        break;
      }
      case "Runtime.exceptionThrown": {
        const { exception, text, url, stackTrace } = params.exceptionDetails;
        this.errors.push({
          text: String(exception?.description ?? text).split("\n")[0] ?? "",
          url: String(stackTrace?.callFrames[0]?.url ?? url ?? ""),
        });
        break;
      }
      case "Audits.issueAdded": {
        const issue = params.issue.details.contentSecurityPolicyIssueDetails;
        if (!issue || issue.isReportOnly) break;
        const { violatedDirective, blockedURL = "", contentSecurityPolicyViolationType: kind } = issue;
        this.violations.push({ directive: violatedDirective, url: blockedURL, kind });
        break;
      }
      case "Debugger.scriptParsed":
        if (this.trackerUrl === undefined && this.#isOfPage(params)) this.#searches.push(this.#search(params));
        break;
    }
  }

  /** Is it a script of the page itself? A tracker in a frame does not see the page's click. */
  // biome-ignore lint/suspicious/noExplicitAny: the protocol's own object.
  #isOfPage({ url, executionContextAuxData: context }: any): boolean {
    return /^https?:/.test(url) && (context?.frameId ?? this.#frame) === this.#frame;
  }

  // biome-ignore lint/suspicious/noExplicitAny: the protocol's own object.
  #hearRequest({ requestId, request, redirectResponse, type, initiator, frameId }: any): void {
    this.#lastRequest = Date.now();
    // An endless stream must not keep the page from being quiet.
    if (type !== "EventSource" && type !== "WebSocket" && type !== "Ping") this.#open.add(requestId);
    if (type === "Document" && frameId === this.#frame) {
      const { from = [], url = "" } = this.#document ?? {};
      const passed = url === "" ? [] : [...from, redirectResponse?.url ?? url];
      this.#document = { id: requestId, url: request.url, status: 0, from: passed };
    }
    const frames = initiator?.stack?.callFrames as { url: string }[] | undefined;
    const isOurs = this.trackerUrl !== undefined && (frames?.some(({ url }) => url === this.trackerUrl) ?? false);
    this.#requests.set(requestId, { url: request.url, isScript: type === "Script", isOurs });
  }

  // biome-ignore lint/suspicious/noExplicitAny: the protocol's own object.
  #hearScript({ requestId, response }: any): void {
    const { url, isOurs } = this.#requests.get(requestId) ?? { url: "", isOurs: false };
    const why =
      response.status >= 400
        ? `status ${response.status}`
        : /html/i.test(response.mimeType)
          ? "what comes is an HTML page"
          : undefined;
    if (why !== undefined) this.failedScripts.push({ url, why, isOurs });
  }

  // biome-ignore lint/suspicious/noExplicitAny: the protocol's own object.
  #hearHeaders({ requestId, headers: given }: any): void {
    const headers = lowered(given);
    for (const cookie of (headers["set-cookie"] ?? "").split("\n")) {
      const [name = "", value] = cookie.split(";")[0]?.split("=") ?? [];
      if (!isClickCookie(name.trim()) || !value) continue;
      this.setCookies.push({ url: this.#requests.get(requestId)?.url ?? "", cookie, headers });
    }
  }

  /** A bundle has no name of ours, but it contains the cookie's name. */
  async #search({ scriptId, url }: { scriptId: string; url: string }): Promise<void> {
    try {
      const { scriptSource } = await this.#send("Debugger.getScriptSource", { scriptId });
      if (String(scriptSource).includes(PAGE_COOKIE)) this.trackerUrl ??= url;
    } catch {
      // The page is gone.
    }
  }
}

async function askFromHere(url: string, limitMs: number): Promise<Asked> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(limitMs) });
    const body = (await answer.text()).slice(0, 4_096);
    return { status: answer.status, type: answer.headers.get("content-type") ?? "", body };
  } catch {
    return { status: 0, type: "", body: "" };
  }
}

interface FrameTree {
  readonly frame: { readonly id: string };
  readonly childFrames?: readonly FrameTree[];
}

function framesOf({ frame, childFrames = [] }: FrameTree): string[] {
  return [frame.id, ...childFrames.flatMap(framesOf)];
}

function lowered(headers: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
