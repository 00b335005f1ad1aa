// A browser without JavaScript: it keeps cookies, follows redirects and submits the
// sign-in form.

import assert from "node:assert/strict";

export class Browser {
  #cookies = new Map();
  #issuer;
  #requests = 0;

  /** @param {string} issuer the only origin that this browser sends requests to */
  constructor(issuer) {
    this.#issuer = issuer;
  }

  /** The number of requests so far. */
  get requests() {
    return this.#requests;
  }

  /**
   * Opens a URL and follows redirects until there is a page or a redirect to another
   * origin.
   *
   * @returns {Promise<{redirectedTo?: URL, url: URL, status: number, body: string}>}
   *   redirectedTo is the URL at the other origin, or undefined if there is a page
   */
  async open(target, init = {}) {
    let url = new URL(target);
    for (let i = 0; i < 10; i++) {
      const response = await this.#fetch(url, init);
      const body = await response.text();
      const location = response.headers.get("location");
      if (location === null) {
        return { url, status: response.status, body };
      }
      assert.ok([302, 303].includes(response.status), `status of a redirect is ${response.status}`);
      url = new URL(location, url);
      if (url.origin !== this.#issuer) {
        return { redirectedTo: url, url, status: response.status, body };
      }
      init = {}; // the next request is a GET (RFC 9110 section 15.4.4)
    }
    throw new Error(`more than ten redirects, the last to ${url}`);
  }

  /** Submits the form of the sign-in page and follows redirects. */
  async signIn(page, username, password) {
    assert.equal(page.status, 200, page.body);
    assert.equal(page.url.pathname, "/login");
    const hidden = /<input type="hidden" name="request" value="([^"]+)">/.exec(page.body);
    assert.ok(hidden, "the sign-in page has no hidden field request");
    return this.open(new URL("/login", this.#issuer), {
      method: "POST",
      headers: { origin: this.#issuer },
      body: new URLSearchParams({ request: hidden[1], username, password }),
    });
  }

  async #fetch(url, init) {
    this.#requests++;
    const headers = new Headers(init.headers);
    if (this.#cookies.size > 0) {
      headers.set("cookie", [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; "));
    }
    const response = await fetch(url, { ...init, headers, redirect: "manual" });
    for (const line of response.headers.getSetCookie()) {
      const [pair, ...attributes] = line.split(/;\s*/);
      const at = pair.indexOf("=");
      const [name, value] = [pair.slice(0, at), pair.slice(at + 1)];
      if (attributes.some((a) => /^max-age=(0|-\d+)$/i.test(a))) {
        this.#cookies.delete(name);
      } else {
        this.#cookies.set(name, value);
      }
    }
    return response;
  }
}
