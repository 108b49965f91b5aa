// Metaplex's own client, unmodified, against a development network:
//   node --input-type=module - RPC SECRET SIGNATURE ASSET < metaplex.mjs
// reads a mint of ours, then makes a tree and a mint of its own with SECRET (64 bytes in hex).
// Prints {ours, theirs} as JSON.
import {
  createTreeV2,
  fetchTreeConfigFromSeeds,
  findLeafAssetIdPda,
  getAssetWithProof,
  hashLeafV2,
  mintV2,
  mplBubblegum,
  parseLeafFromMintV2Transaction,
} from "@metaplex-foundation/mpl-bubblegum";
import {
  base58,
  generateSigner,
  keypairIdentity,
  none,
  publicKey,
  publicKeyBytes,
} from "@metaplex-foundation/umi";
import { createUmi } from "@metaplex-foundation/umi-bundle-defaults";
import { keccak_256 } from "@noble/hashes/sha3";

const hex = (bytes) => Buffer.from(bytes).toString("hex");

function rootOf(leaf, index, proof) {
  return proof.reduce((node, told, level) => {
    const sibling = publicKeyBytes(told);
    return keccak_256(Buffer.concat((index >> level) & 1 ? [sibling, node] : [node, sibling]));
  }, leaf);
}

async function read(umi, signature, asset) {
  const leaf = await parseLeafFromMintV2Transaction(umi, signature);
  const whole = await umi.rpc.getAssetProof(asset);
  const merkleTree = whole.tree_id;
  const seen = await getAssetWithProof(umi, asset, { truncateCanopy: true });
  const index = Number(leaf.nonce);
  const hash = hashLeafV2(umi, {
    merkleTree,
    owner: leaf.owner,
    delegate: leaf.delegate,
    leafIndex: leaf.nonce,
    metadata: seen.currentMetadata,
  });
  return {
    asset_id: leaf.id,
    computed_asset_id: findLeafAssetIdPda(umi, { merkleTree, leafIndex: leaf.nonce })[0],
    owner: leaf.owner,
    tree: merkleTree,
    leaf_index: index,
    leaf_hash: hex(hash),
    proved: hex(rootOf(hash, index, whole.proof)) === hex(publicKeyBytes(whole.root)),
    proof_to_bring: seen.proof.length,
    name: seen.metadata.name,
    uri: seen.metadata.uri,
  };
}

// Its own way to confirm needs a web socket, which the development network does not have.
async function land(umi, builder) {
  const signature = await builder.send(umi, { preflightCommitment: "confirmed" });
  for (let tries = 0; tries < 200; tries += 1) {
    const [status] = await umi.rpc.getSignatureStatuses([signature]);
    if (status && status.error) throw new Error(JSON.stringify(status.error));
    if (status && status.commitment !== "processed") return signature;
    await new Promise((resume) => setTimeout(resume, 50));
  }
  throw new Error("the transaction was not confirmed in time");
}

async function create(umi) {
  const owner = umi.identity.publicKey;
  const made = generateSigner(umi);
  const merkleTree = made.publicKey;
  const shape = { maxDepth: 5, maxBufferSize: 8, canopyDepth: 2 };
  await land(umi, await createTreeV2(umi, { merkleTree: made, ...shape }));
  const metadata = {
    name: "Made by Metaplex",
    symbol: "PFP",
    uri: "https://example.org/metaplex.json",
    sellerFeeBasisPoints: 250,
    collection: none(),
    creators: [{ address: owner, verified: true, share: 100 }],
  };
  const signature = await land(umi, mintV2(umi, { leafOwner: owner, merkleTree, metadata }));
  const config = await fetchTreeConfigFromSeeds(umi, { merkleTree });
  const asset = findLeafAssetIdPda(umi, { merkleTree, leafIndex: 0 })[0];
  return {
    ...(await read(umi, signature, asset)),
    signature: base58.deserialize(signature)[0],
    minted: Number(config.numMinted),
    capacity: Number(config.totalMintCapacity),
  };
}

const [rpc, secret, signature, asset] = process.argv.slice(2);
const umi = createUmi(rpc, { commitment: "confirmed" }).use(mplBubblegum());
umi.use(keypairIdentity(umi.eddsa.createKeypairFromSecretKey(Buffer.from(secret, "hex"))));
const ours = await read(umi, base58.serialize(signature), publicKey(asset));
const theirs = await create(umi);
process.stdout.write(`${JSON.stringify({ ours, theirs })}\n`);
