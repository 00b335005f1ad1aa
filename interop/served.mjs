// Runs idp serve with a configuration of its own: one client with keys, and Jane.
// IDP is the binary; run.sh builds it and sets it.

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export class Served {
  constructor(issuer, folder, process) {
    Object.assign(this, { issuer, folder, process });
  }

  /** Starts a server for the client "keyed" with the given key set. */
  static async start({ jwks }) {
    const folder = mkdtempSync(join(tmpdir(), "idp-interop-"));
    const port = await freePort();
    const issuer = `http://127.0.0.1:${port}`;
    const hash = spawnSync(process.env.IDP, ["people", "hash"], { input: "jane-password\n", encoding: "utf8" }).stdout.trim();
    writeFileSync(join(folder, "people.yaml"), `people:\n  - {username: jane, sub: 0123456789abcdef, password_hash: '${hash}'}\n`);
    writeFileSync(join(folder, "jwks.json"), JSON.stringify(jwks));
    writeFileSync(
      join(folder, "idp.yaml"),
      `issuer: ${issuer}
listen: 127.0.0.1:${port}
operations: off
data: data
people: people.yaml
brand: {name: Brand}
clients:
  - id: keyed
    jwks: {file: jwks.json}
    application_type: native
    redirect_uris: ["http://127.0.0.1/cb"]
`,
    );
    const child = spawn(process.env.IDP, ["serve", "--config", join(folder, "idp.yaml")], { stdio: ["ignore", "ignore", "pipe"] });
    let log = "";
    await new Promise((resolve, reject) => {
      child.stderr.on("data", (text) => {
        log += text;
        if (log.includes('"serving"')) resolve();
      });
      child.on("exit", () => reject(new Error(`idp serve did not start: ${log}`)));
    });
    return new Served(issuer, folder, child);
  }

  async stop() {
    const gone = new Promise((resolve) => this.process.on("exit", resolve));
    this.process.kill("SIGTERM");
    await gone;
    rmSync(this.folder, { recursive: true });
  }
}

/** A port of the loopback address that was free a moment ago. */
function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
