// node-pop3: fetches and deletes every message.     node_pop3.mjs HOST PORT USER PASSWORD DIR
import fs from 'fs';
import { createRequire } from 'module';
const loaded = createRequire(process.env.NODE_PATH + '/')('node-pop3');
const Pop3Command = loaded.default || loaded;

const [host, port, user, password, dir] = process.argv.slice(2);
(async () => {
  const box = new Pop3Command({ host, port: Number(port), user, password, timeout: 60000 });
  for (const [number] of await box.LIST()) {
    // A server need not know UIDL and TOP.
    await box.UIDL(number).catch(() => {});
    await box.TOP(number, 0).catch(() => {});
    fs.writeFileSync(`${dir}/${number}`, await box.RETR(number), 'latin1');
    await box.command('DELE', number);
  }
  await box.QUIT();
})().catch((error) => {
  console.error(String(error));
  process.exit(1);
});
