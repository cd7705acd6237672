// Drives a server with OpenAI's own JavaScript library: node client.mjs URL MODEL
import OpenAI from 'openai';
import assert from 'node:assert/strict';

const [url, model] = process.argv.slice(2);
const client = new OpenAI({ apiKey: 'sk-local', baseURL: `${url}/v1`, maxRetries: 0 });
const messages = [{ role: 'user', content: 'What is the capital of France?' }];

const models = [];
for await (const m of client.models.list()) models.push(m.id);
assert.deepEqual(models, [model]);
assert.equal((await client.models.retrieve(model)).id, model);

const whole = await client.chat.completions.create({ model, messages, temperature: 0, max_tokens: 24 });
assert.ok(whole.choices[0].message.content.length > 0);
assert.equal(whole.choices[0].message.role, 'assistant');
assert.equal(whole.usage.total_tokens, whole.usage.prompt_tokens + whole.usage.completion_tokens);

const stream = await client.chat.completions.create({ model, messages, temperature: 0, max_tokens: 24, stream: true, stream_options: { include_usage: true } });
let text = '';
let usage;
let finish;
for await (const chunk of stream) {
  text += chunk.choices[0]?.delta?.content ?? '';
  finish ??= chunk.choices[0]?.finish_reason;
  usage ??= chunk.usage;
}
assert.equal(text, whole.choices[0].message.content);
assert.equal(finish, whole.choices[0].finish_reason);
assert.deepEqual(usage, whole.usage);

const paris = await client.completions.create({ model, prompt: 'The capital of France is', max_tokens: 2, temperature: 0 });
assert.equal(paris.choices[0].text, ' Paris.');

const completion = await client.completions.create({ model, prompt: 'Once upon a time', max_tokens: 8, temperature: 0, n: 2, logprobs: 2, echo: true });
assert.equal(completion.choices.length, 2);
assert.equal(completion.choices[0].text, completion.choices[1].text);
assert.ok(completion.choices[0].text.startsWith('Once upon a time'));
assert.equal(completion.choices[0].logprobs.tokens.length, 8);

const aborter = new AbortController();
const aborted = await client.chat.completions.create({ model, messages, stream: true, max_tokens: 2000, ignore_eos: true }, { signal: aborter.signal });
let seen = 0;
try {
  for await (const _ of aborted) if (++seen === 5) aborter.abort();
} catch (error) {
  assert.ok(error instanceof OpenAI.APIUserAbortError, String(error));
}

await assert.rejects(client.chat.completions.create({ model: 'no-such-model', messages }), (error) => error instanceof OpenAI.NotFoundError && error.code === 'model_not_found' && error.param === 'model');
await assert.rejects(client.chat.completions.create({ model, messages: [] }), (error) => error instanceof OpenAI.BadRequestError && error.param === 'messages');
console.log('all well');
