// A client with got.
import got from "got";
import { answerAll, parts } from "./asking.mjs";

await answerAll(async ({ body, target, method, pair, headers, document, form }) => {
  const content = {};
  if (document) content[body === "json_as_form" ? "body" : "json"] = body === "json_as_form" ? JSON.stringify(document) : document;
  if (form) content[body === "multipart" ? "body" : "form"] = body === "multipart" ? parts(form) : form;
  const response = await got(target, { method, headers, ...pair, ...content, throwHttpErrors: false, retry: { limit: 0 } });
  return [response.statusCode, response.headers, response.body];
});
