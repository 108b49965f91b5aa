// Metaplex's own client, unmodified, against a development network.
//   node metaplex.mjs read RPC SIGNATURE ASSET        our mint, as this client sees it
//   node metaplex.mjs create RPC SECRET               a tree and a mint of its own; SECRET: 64 bytes, hex
// Prints one object of JSON.
import {
  createTreeV2, fetchTreeConfigFromSeeds, findLeafAssetIdPda, getAssetWithProof, hashLeafV2,
  mintV2, mplBubblegum, parseLeafFromMintV2Transaction,
} from "@metaplex-foundation/mpl-bubblegum";
import { createUmi } from "@metaplex-foundation/umi-bundle-defaults";
import {
  base58, generateSigner, keypairIdentity, none, publicKey, publicKeyBytes,
} from "@metaplex-foundation/umi";
import { keccak_256 } from "@noble/hashes/sha3";

const hex = (bytes) => Buffer.from(bytes).toString("hex");

function rootOf(leaf, index, proof) {
  return proof.reduce((node, sibling, level) => {
    const pair = (index >> level) & 1 ? [publicKeyBytes(sibling), node] : [node, publicKeyBytes(sibling)];
    return keccak_256(Buffer.concat(pair));
  }, leaf);
}

async function read(umi, signature, asset) {
  const leaf = await parseLeafFromMintV2Transaction(umi, base58.serialize(signature));
  const seen = await getAssetWithProof(umi, publicKey(asset), { truncateCanopy: true });
  const proof = await umi.rpc.getAssetProof(publicKey(asset));
  const hash = hashLeafV2(umi, {
    merkleTree: seen.merkleTree, owner: leaf.owner, delegate: leaf.delegate,
    leafIndex: leaf.nonce, metadata: seen.currentMetadata,
  });
  return {
    kind: leaf.__kind,
    asset_id: leaf.id,
    computed_asset_id: findLeafAssetIdPda(umi, { merkleTree: seen.merkleTree, leafIndex: leaf.nonce })[0],
    owner: leaf.owner,
    leaf_index: Number(leaf.nonce),
    data_hash: hex(leaf.dataHash),
    creator_hash: hex(leaf.creatorHash),
    leaf_hash: hex(hash),
    proved: hex(rootOf(hash, Number(leaf.nonce), proof.proof)) === hex(publicKeyBytes(proof.root)),
    proof_to_bring: seen.proof.length,
    name: seen.metadata.name,
    uri: seen.metadata.uri,
  };
}

// Its own way to confirm needs a web socket, which the development network does not have.
async function land(umi, builder) {
  const signature = await builder.send(umi, { preflightCommitment: "confirmed" });
  for (let tries = 0; tries < 100; tries += 1) {
    const [status] = await umi.rpc.getSignatureStatuses([signature]);
    if (status && status.error) throw new Error(JSON.stringify(status.error));
    if (status && status.commitment !== "processed") return signature;
    await new Promise((resume) => setTimeout(resume, 50));
  }
  throw new Error("the transaction was not confirmed in time");
}

async function create(umi, secret) {
  umi.use(keypairIdentity(umi.eddsa.createKeypairFromSecretKey(Buffer.from(secret, "hex"))));
  const merkleTree = generateSigner(umi);
  const creation = await createTreeV2(umi, { merkleTree, maxDepth: 5, maxBufferSize: 8, canopyDepth: 2 });
  await land(umi, creation);
  const metadata = {
    name: "Made by Metaplex", symbol: "PFP", uri: "https://example.org/1.json",
    sellerFeeBasisPoints: 250, collection: none(),
    creators: [{ address: umi.identity.publicKey, verified: true, share: 100 }],
  };
  const mint = mintV2(umi, { leafOwner: umi.identity.publicKey, merkleTree: merkleTree.publicKey, metadata });
  const signature = await land(umi, mint);
  const config = await fetchTreeConfigFromSeeds(umi, { merkleTree: merkleTree.publicKey });
  const leaf = await parseLeafFromMintV2Transaction(umi, signature);
  return {
    tree: merkleTree.publicKey,
    signature: base58.deserialize(signature)[0],
    asset_id: leaf.id,
    minted: Number(config.numMinted),
    capacity: Number(config.totalMintCapacity),
  };
}

const [action, rpc, ...rest] = process.argv.slice(2);
const umi = createUmi(rpc, { commitment: "confirmed" }).use(mplBubblegum());
const told = await { read, create }[action](umi, ...rest);
process.stdout.write(JSON.stringify(told) + "\n");
