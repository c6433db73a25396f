// MODULE string|stream HOST PORT USER COUNT: prints the messages, with node-pop3, as one string or as a stream.
import {pathToFileURL} from 'node:url';

const [module, way, host, port, user, count] = process.argv.slice(2);
const {default: Pop3Command} = await import(pathToFileURL(module));
const mailbox = new Pop3Command({host, port: Number(port), user, password: 'tanstaaf'});
const print = (octets) => new Promise((done) => { process.stdout.write(octets, done); });
for (let number = 1; number <= Number(count); number += 1) {
  if (way === 'string') {
    await print(await mailbox.RETR(number));
  } else {
    await mailbox.NOOP(); // logs in
    const [, stream] = await mailbox.command('RETR', number);
    for await (const octets of stream) await print(octets);
  }
}
await mailbox.QUIT();
