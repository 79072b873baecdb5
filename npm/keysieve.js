#!/usr/bin/env node
// Runs the program that npm installed for this platform, and ends as it ends.
"use strict";

const { spawn } = require("node:child_process");

const platform = `${process.platform}-${process.arch}`;
const file = process.platform === "win32" ? "keysieve.exe" : "keysieve";

let program;
try {
  program = require.resolve(`@keysieve/${platform}/${file}`);
} catch {
  fail(`no program for ${platform}: is @keysieve/${platform} installed (npm without --omit=optional)?`);
}

const child = spawn(program, process.argv.slice(2), { stdio: "inherit" });
// A terminal sends an interrupt to the program as well, which then says what it did not read.
process.on("SIGINT", () => {});
for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("error", (error) => fail(`cannot run ${program}: ${error.message}`));
child.on("close", (code, signal) => (signal ? fail(`ended by ${signal}`) : process.exit(code)));

// 2 is "not everything was read": what did not run must not look clean.
function fail(message) {
  console.error(`error: keysieve: ${message}`);
  process.exit(2);
}
