// Checks the published vectors from Node, with nothing but Node itself (20 or newer) and nothing of the gateway's code.
//
//   node check.mjs FOLDER [URL TOKEN]
//
// FOLDER holds sm.json, proof-*.json and crossing.json. With URL and TOKEN (scope "translate") of a running gateway the
// crossing is checked too, over POST /v1/translate. Exit status: 1 when a vector does not come out as published.

import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

const [folder, url, token] = process.argv.slice(2);
const read = (name) => JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'));
const bytes = (base64) => Buffer.from(base64, 'base64');
const sm3 = (...parts) => createHash('sm3').update(Buffer.concat(parts)).digest('hex');
const hmacSm3 = (key, ...parts) => createHmac('sm3', key).update(Buffer.concat(parts)).digest('hex');
const sha256 = (text) => createHash('sha256').update(text).digest('hex');

// --- SM2 by hand: Node's verify() cannot be given a signer id. GB/T 32918.2, the recommended curve ---

const P = 0xfffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffffn;
const N = 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n;
const A = P - 3n;
const B = 0x28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93n;
const G = [
  0x32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7n,
  0xbc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0n,
];
const mod = (number, by) => ((number % by) + by) % by;
const hex32 = (number) => number.toString(16).padStart(64, '0');

function inverse(number) {
  let [a, b, x, y] = [mod(number, P), P, 1n, 0n];
  while (b) [a, b, x, y] = [b, a % b, y, x - (a / b) * y];
  return mod(x, P);
}

function add(one, other) {
  if (!one || !other) return one || other;
  if (one[0] === other[0] && mod(one[1] + other[1], P) === 0n) return null;
  const slope =
    one[0] === other[0]
      ? (3n * one[0] * one[0] + A) * inverse(2n * one[1])
      : (other[1] - one[1]) * inverse(other[0] - one[0]);
  const x = mod(slope * slope - one[0] - other[0], P);
  return [x, mod(slope * (one[0] - x) - one[1], P)];
}

function times(number, point) {
  let found = null;
  for (; number; number >>= 1n, point = add(point, point)) if (number & 1n) found = add(found, point);
  return found;
}

// Z: length of the id in bits (two bytes), id, a, b, xG, yG, xA, yA.
function zOf(key, id) {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(id.length * 8);
  return sm3(length, Buffer.from(id), Buffer.from([A, B, ...G, ...key].map(hex32).join(''), 'hex'));
}

// SEQUENCE { INTEGER r, INTEGER s } and nothing after it; null when it is anything else.
function fromDer(der) {
  if (der[0] !== 0x30 || der[1] !== der.length - 2) return null;
  const numbers = [];
  for (let at = 2; at < der.length; at += 2 + der[at + 1]) {
    const value = der.subarray(at + 2, at + 2 + der[at + 1]);
    if (der[at] !== 2 || value.length !== der[at + 1] || !value.length) return null;
    numbers.push(BigInt(`0x${value.toString('hex')}`));
  }
  return numbers.length === 2 ? numbers : null;
}

function sm2IsValid(xy, id, der, message) {
  const key = [BigInt(`0x${xy.slice(0, 64)}`), BigInt(`0x${xy.slice(64)}`)];
  const [r, s] = fromDer(der) ?? [0n, 0n];
  if (r < 1n || r >= N || s < 1n || s >= N) return false;
  const e = BigInt(`0x${sm3(Buffer.from(zOf(key, id), 'hex'), message)}`);
  const t = mod(r + s, N);
  const point = t && add(times(s, G), times(t, key));
  return Boolean(point) && mod(e + point[0], N) === r;
}

// --- the proofs ---

const accepted = { verdict: 'accepted' };
const refused = (status, code) => ({ verdict: 'refused', status, code });

function contentType(written = '') {
  const [kind, ...rest] = written.toLowerCase().split(';');
  return [kind.trim(), /charset="?([^";\s]+)/.exec(rest.join(';'))?.[1] ?? ''];
}

function heads(vector, names) {
  const held = Object.fromEntries(Object.entries(vector.headers).map(([name, value]) => [name.toLowerCase(), value]));
  return names.map((name) => held[name] ?? '');
}

// SC-N §2
function judgeSichuan(vector, keys, window) {
  const body = bytes(vector.body_base64);
  const names = ['x-tif-paasid', 'x-tif-timestamp', 'x-tif-nonce', 'x-tif-signature', 'x-body-sm3'];
  const [kind, charset] = contentType(heads(vector, ['content-type'])[0]);
  if (kind !== 'application/json' || !['', 'utf-8'].includes(charset)) return refused(415, '9031');
  const [caller, stamp, nonce, signature, digest] = heads(vector, names);
  if (![caller, stamp, nonce, signature, digest].every(Boolean)) return refused(401, '9001');
  if (caller !== keys.paasid) return refused(401, '9001');
  if (!/^[0-9]{1,11}$/.test(stamp) || !/^[0-9A-Za-z_-]{8,64}$/.test(nonce)) return refused(401, '9001');
  if (signature.toLowerCase() !== sha256(stamp + keys.token + nonce + stamp)) return refused(401, '9001');
  if (digest.toLowerCase() !== hmacSm3(keys.token, Buffer.from(`${stamp}\n${nonce}\n`), body)) return refused(401, '9004');
  if (!vector.enabled) return refused(403, '9010');
  if (Math.abs(vector.now - Number(stamp)) > window) return refused(401, '9002');
  return vector.seen_nonces.includes(nonce) ? refused(401, '9003') : accepted;
}

// CQ-N §2
function judgeChongqing(vector, keys, window) {
  const body = bytes(vector.body_base64);
  const [kind, charset] = contentType(heads(vector, ['content-type'])[0]);
  if (kind !== 'application/xml' || charset !== 'gb18030') return refused(415, '9031');
  const [caller, digest, signature] = heads(vector, ['x-cq-clientid', 'x-cq-sm3', 'x-cq-sign']);
  const peer = keys[vector.sender];
  if (!caller || !digest || !signature || caller !== peer.client_id) return refused(401, '9001');
  if (digest.toLowerCase() !== sm3(body)) return refused(401, '9004');
  // Buffer.from ignores what is no base64, so that is asked first
  const der = /^[0-9A-Za-z+/]+={0,2}$/.test(signature) && signature.length % 4 === 0 ? bytes(signature) : Buffer.alloc(0);
  if (!sm2IsValid(peer.public_key_xy, keys.signer_id, der, body)) return refused(401, '9001');
  if (!vector.enabled) return refused(403, '9010');
  const written = /<FSSJ>([^<]*)<\/FSSJ>/.exec(body.toString('latin1'))[1];
  const sent = Date.parse(`${written.replace(' ', 'T')}+08:00`) / 1000;
  return Math.abs(vector.now - sent) > window ? refused(401, '9002') : accepted;
}

// --- the crossing ---

// What is pinned of a result: of findings code and path; of bytes all but the placeholders.
function plain(expect, document) {
  if (expect.findings) {
    const findings = expect.findings.map((found) => `${found.path} ${found.code}`).sort();
    return { verdict: expect.verdict, code: expect.code, findings };
  }
  let out = bytes(expect.out_base64).toString('latin1');
  for (const { pattern } of document.placeholders) out = out.replace(new RegExp(pattern, 'g'), '');
  const { verdict, kind, item, case_no, trace, canonical = null } = expect;
  return { verdict, kind, item, case_no, trace, canonical, out };
}

async function ask(vector, document) {
  const context = Buffer.from(JSON.stringify(vector.context)).toString('base64url');
  const answer = await fetch(`${url}/v1/translate?from=${vector.from}&context=${context}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': vector.content_type },
    body: bytes(vector.in_base64),
  });
  const told = await answer.json();
  if (answer.status !== 200) {
    return plain({ ...told, verdict: told.code === 'parked' ? 'parked' : 'refused' }, document);
  }
  const whole = 'canonical' in vector.expect;
  const trace = whole ? told.trace : told.trace.filter((entry) => entry.kind !== 'exact');
  const canonical = whole ? told.canonical : null;
  return plain({ ...told, verdict: 'taken', trace, canonical, out_base64: told.native.body }, document);
}

// --- run ---

async function* blocks(document) {
  for (const [n, one] of document.sm3.entries()) yield [`sm3-${n + 1}`, one.sm3, sm3(bytes(one.message_base64))];
  for (const [n, one] of document.hmac_sm3.entries()) {
    yield [`hmac-sm3-${n + 1}`, one.hmac_sm3, hmacSm3(bytes(one.key_base64), bytes(one.message_base64))];
  }
  for (const [n, one] of document.sm2.entries()) {
    const found = sm2IsValid(one.public_key_xy, one.signer_id, bytes(one.signature_base64), bytes(one.message_base64));
    yield [`sm2-${n + 1}`, one.valid, found];
  }
}

async function* proofs(document, judge) {
  for (const one of document.vectors) yield [one.id, one.expect, judge(one, document.keys, document.window_s)];
}

async function* crossing(document) {
  for (const one of document.vectors) {
    const found = { in: sm3(bytes(one.in_base64)), ...(await ask(one, document)) };
    yield [one.id, { in: one.in_sm3, ...plain(one.expect, document) }, found];
  }
}

const kinds = {
  sm: blocks,
  'proof-sichuan': (document) => proofs(document, judgeSichuan),
  'proof-chongqing': (document) => proofs(document, judgeChongqing),
  ...(url ? { crossing } : {}),
};
const counts = [];
let wrong = 0;
for (const [name, results] of Object.entries(kinds)) {
  const document = read(name);
  let count = 0;
  for await (const [id, expected, found] of results(document)) {
    count += 1;
    if (isDeepStrictEqual(expected, found)) continue;
    wrong += 1;
    console.log(`FAILED ${name} ${id}\n  expected`, expected, '\n  found   ', found);
  }
  counts.push(`${name}=${count}`);
  if (count !== document.count) {
    wrong += 1;
    console.log(`FAILED ${name}: ${document.count} vectors announced, ${count} checked`);
  }
}
console.log('checked', ...counts, `failed=${wrong}`);
process.exitCode = wrong ? 1 : 0;
