// The LiveEngage simulator works with another provider: npm package oidc-provider signs
// Jane in, and the simulator accepts its ID tokens and redeems its codes. The environment
// variable IDP is the path of the idp binary; run.sh sets it.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";

import { OtherProvider } from "./server.mjs";

const account = "12345678";

/** Runs idp until it exits. */
async function runIDP(args, env) {
  const child = spawn(process.env.IDP, args, { env });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (text) => (stdout += text));
  child.stderr.on("data", (text) => (stderr += text));
  const code = await new Promise((resolve) => child.on("close", resolve));
  return { code, stdout, stderr };
}

/** Starts a simulator for a client of the other provider. */
async function startSimulator(issuer) {
  const args = ["liveengage", "simulate", "--listen", "127.0.0.1:0", "--issuer", issuer, "--client", "web"];
  const child = spawn(process.env.IDP, args, {
    env: { IDP_SIMULATE_SECRET: "web-secret-0123456789abcdef0123456789" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const url = await new Promise((resolve, reject) => {
    let text = "";
    child.stdout.on("data", (more) => {
      text += more;
      const found = /ready at (http:\S+)/.exec(text);
      if (found) resolve(found[1]);
    });
    child.on("exit", () => reject(new Error("the simulator did not start")));
  });
  const stop = async () => {
    const exited = new Promise((resolve) => child.on("exit", resolve));
    child.kill("SIGTERM");
    await exited;
  };
  return { url, stop };
}

test("the simulator works with another provider", async () => {
  const other = await OtherProvider.start();
  const simulator = await startSimulator(other.issuer);
  try {
    const path = `/api/account/${account}/configuration/le-connectors/all-connectors`;
    const connectors = await (await fetch(simulator.url + path)).json();
    for (const name of ["Implicit", "Code", "Code with PKCE"]) {
      const connector = connectors.find((c) => c.name === name);
      assert.equal(connector.configuration.issuer, other.issuer);
      const { code, stdout, stderr } = await runIDP(
        [
          "liveengage", "converse", "--domains", simulator.url, "--account", account, "--issuer", other.issuer,
          "--connector", String(connector.id), "--redirect-uri", "https://web.example/cb", "--person", "jane",
          "--say", `Hello, ${name}`, "--user", "agent", "--once",
        ],
        { IDP_PERSON_PASSWORD: "any", IDP_LP_PASSWORD: "agent-password" },
      );
      assert.equal(code, 0, stdout + stderr);
      assert.match(stdout, /customerId +jane/, "the agent sees sub");
      assert.match(stdout, new RegExp(`message +Hello, ${name}`));
    }
    const log = await (await fetch(`${simulator.url}/log`)).text();
    assert.doesNotMatch(log, /web-secret-0123456789/, "the log is redacted");
  } finally {
    await simulator.stop();
    await other.stop();
  }
});
