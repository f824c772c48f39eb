// How a client is asked: one line of JSON for each update it is to post, one line of JSON for each answer it got.
import { createInterface } from "node:readline";

const update = { buyer_converted: true, revenue: 42.0, offer_converted: true };
const texts = { buyer_converted: "true", revenue: "42.00", offer_converted: "true" };
const nested = { ...texts, "post_call_tokens[first_name]": "Jane" };

const documents = {
  json: { ...update, post_call_tokens: {} },
  json_as_form: { ...update, post_call_tokens: {} },
  json_nested: { ...update, post_call_tokens: { first_name: "Jane" } },
  json_empty_list: { ...update, post_call_tokens: [] },
};
const forms = { form: texts, nested_form: nested, multipart: nested };
const queries = { query: texts, get: nested };

/** What is asked, as a client needs it. */
function understand({ url, body, credential, public: user, private: password, token }) {
  const headers = {
    basic_header: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`,
    token: `Token ${token}`,
    token_quoted: `Token token="${token}"`,
    bearer: `Bearer ${token}`,
  };
  const target = new URL(url);
  for (const [name, value] of Object.entries(queries[body] ?? {})) target.searchParams.set(name, value);
  if (credential === "auth_token_query") target.searchParams.set("auth_token", token);
  if (credential === "basic_url") Object.assign(target, { username: user, password });
  const secret = credential === "auth_token_body" ? { auth_token: token } : {};
  return {
    body,
    target,
    method: body === "get" ? "GET" : "POST",
    pair: credential === "basic_option" ? { username: user, password } : undefined,
    headers: headers[credential] ? { Authorization: headers[credential] } : {},
    document: documents[body] && { ...documents[body], ...secret },
    form: forms[body] && { ...forms[body], ...secret },
  };
}

/** The parts of a multipart body. */
export function parts(form) {
  const data = new FormData();
  for (const [name, value] of Object.entries(form)) data.append(name, value);
  return data;
}

/** Post every update that is asked for, and tell status, headers and body of each answer. */
export async function answerAll(post) {
  for await (const line of createInterface({ input: process.stdin })) {
    const [status, headers, body] = await post(understand(JSON.parse(line)));
    console.log(JSON.stringify({ status, headers, body }));
  }
}
