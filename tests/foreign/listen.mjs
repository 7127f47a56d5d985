// npm eventsource as a subscriber's system would use it: prints each alert's number and type, and reconnects by itself.
import { createRequire } from 'node:module';

const [modules, url, token, count] = process.argv.slice(2);
const { EventSource } = createRequire(modules + '/')('eventsource');
const withToken = (address, init) => fetch(address, { ...init, headers: { ...init.headers, Authorization: `Bearer ${token}` } });
const source = new EventSource(url, { fetch: withToken });
let seen = 0;

source.addEventListener('open', () => console.log('open'));
source.addEventListener('error', (event) => console.log(`error ${event.code ?? ''}`));
source.addEventListener('alert', (event) => {
    const alert = JSON.parse(event.data);
    console.log(`alert ${event.lastEventId} ${alert.data.number} ${alert.type}`);
    if (++seen === Number(count)) source.close();
});
