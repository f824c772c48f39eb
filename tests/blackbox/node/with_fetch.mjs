// A client with nothing but Node's own fetch.
import { answerAll, parts } from "./asking.mjs";

await answerAll(async ({ body, target, method, headers, document, form }) => {
  let content;
  if (document) {
    content = JSON.stringify(document);
    if (body !== "json_as_form") headers["Content-Type"] = "application/json";
  }
  if (form) content = body === "multipart" ? parts(form) : new URLSearchParams(form);
  const response = await fetch(target, { method, headers, body: content });
  return [response.status, Object.fromEntries(response.headers), await response.text()];
});
