// LiveEngage's simulator works with a provider that is not ours: node oidc-provider
// signs Jane in, and the simulator takes its tokens and redeems its codes. run.sh
// sets IDP.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";

import { Other } from "./served.mjs";

const account = "12345678";

/** Runs a command of idp to its end. */
async function idp(args, env) {
  const child = spawn(process.env.IDP, args, { env });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (text) => (stdout += text));
  child.stderr.on("data", (text) => (stderr += text));
  const code = await new Promise((resolve) => child.on("close", resolve));
  return { code, stdout, stderr };
}

/** Starts a simulator for the other provider's client and returns its address. */
async function simulate(issuer) {
  const child = spawn(process.env.IDP, ["liveengage", "simulate", "--listen", "127.0.0.1:0", "--issuer", issuer, "--client", "web"], {
    env: { IDP_SIMULATE_SECRET: "web-secret-0123456789abcdef0123456789" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const address = await new Promise((resolve, reject) => {
    let text = "";
    child.stdout.on("data", (more) => {
      text += more;
      const found = /ready at (http:\S+)/.exec(text);
      if (found) resolve(found[1]);
    });
    child.on("exit", () => reject(new Error("the simulator did not start")));
  });
  const stop = async () => {
    const gone = new Promise((resolve) => child.on("exit", resolve));
    child.kill("SIGTERM");
    await gone;
  };
  return { address, stop };
}

test("the simulator works with another provider", async () => {
  const other = await Other.start();
  const simulator = await simulate(other.issuer);
  try {
    const listed = await (await fetch(`${simulator.address}/api/account/${account}/configuration/le-connectors/all-connectors`)).json();
    for (const name of ["Implicit", "Code", "Code with PKCE"]) {
      const connector = listed.find((c) => c.name === name);
      assert.equal(connector.configuration.issuer, other.issuer);
      const { code, stdout, stderr } = await idp(
        ["liveengage", "converse", "--domains", simulator.address, "--account", account, "--issuer", other.issuer, "--connector", String(connector.id),
          "--redirect-uri", "https://web.example/cb", "--person", "jane", "--say", `Hello, ${name}`, "--user", "agent", "--once"],
        { IDP_PERSON_PASSWORD: "any", IDP_LP_PASSWORD: "agent-password" },
      );
      assert.equal(code, 0, stdout + stderr);
      assert.match(stdout, /customerId +jane/, "sub is what the agent sees");
      assert.match(stdout, new RegExp(`said +Hello, ${name}`));
    }
    const log = await (await fetch(`${simulator.address}/log`)).text();
    assert.doesNotMatch(log, /web-secret-0123456789/, "the log is redacted");
  } finally {
    await simulator.stop();
    await other.stop();
  }
});
