// A client with axios.
import axios from "axios";
import { answerAll, parts } from "./asking.mjs";

await answerAll(async ({ body, target, method, pair, headers, document, form }) => {
  let data = body === "json_as_form" ? JSON.stringify(document) : document;
  if (form) data = body === "multipart" ? parts(form) : new URLSearchParams(form);
  const response = await axios({
    method,
    url: target.href,
    headers,
    auth: pair,
    data,
    transformResponse: (text) => text,
    validateStatus: () => true,
  });
  return [response.status, { ...response.headers }, response.data];
});
