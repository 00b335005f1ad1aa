// A browser for one person: it keeps cookies, follows redirects by hand and
// fills in the sign-in form, as someone would who has scripts switched off.

import assert from "node:assert/strict";

export class Browser {
  #cookies = new Map();
  #issuer;
  #hops = 0; // requests made, so that a test can tell how far it had to go

  /** @param {string} issuer the one address that this browser talks to */
  constructor(issuer) {
    this.#issuer = issuer;
  }

  get hops() {
    return this.#hops;
  }

  /**
   * Opens an address and follows redirects until it leaves the issuer or shows
   * a page.
   *
   * @returns {Promise<{left?: URL, address: URL, status: number, body: string}>}
   *   left is where the browser was sent; undefined while it is still here
   */
  async open(address, init = {}) {
    let url = new URL(address);
    for (let i = 0; i < 10; i++) {
      const response = await this.#fetch(url, init);
      const body = await response.text();
      const location = response.headers.get("location");
      if (location === null) {
        return { address: url, status: response.status, body };
      }
      assert.ok([302, 303].includes(response.status), `redirect with ${response.status}`);
      url = new URL(location, url);
      if (url.origin !== this.#issuer) {
        return { left: url, address: url, status: response.status, body };
      }
      init = {}; // what was posted is not posted again (RFC 9110 section 15.4.4)
    }
    throw new Error(`more than ten redirects, the last to ${url}`);
  }

  /** Sends the form of the sign-in page and follows where it leads. */
  async signIn(page, username, password) {
    assert.equal(page.status, 200, page.body);
    assert.equal(page.address.pathname, "/login");
    const hidden = /<input type="hidden" name="request" value="([^"]+)">/.exec(page.body);
    assert.ok(hidden, "the sign-in page has no hidden field request");
    return this.open(new URL("/login", this.#issuer), {
      method: "POST",
      headers: { origin: this.#issuer },
      body: new URLSearchParams({ request: hidden[1], username, password }),
    });
  }

  async #fetch(url, init) {
    this.#hops++;
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
