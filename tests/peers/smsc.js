// An SMSC on the npm package `smpp`: tells what it accepted on stdout, sends what it is told to on stdin, as JSON lines.
//
//   node smsc.js HOME ID_FORM [KEY CERTIFICATE]
//
// Out: {event: listening, port}, {event: bind, mode, system_id}, {event: submit, id, ...}, {event: answered, tag, status}.
// In:  {tag, source, destination, esm_class, data_coding, hex, tlvs: {name: value}}: a deliver_sm to who listens.
'use strict';

const fs = require('fs');
const readline = require('readline');
const [home, idForm, key, certificate] = process.argv.slice(2);
const smpp = require(require.resolve('smpp', { paths: [home] }));

const tell = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
const listeners = [];
let last = 0x3b9aca00; // 1,000,000,000: what is hexadecimal here is a number in decimal too, but another
const newId = () => (idForm === 'hex' ? (++last).toString(16).toUpperCase() : String(++last));

function concatenation(pdu) {
  if (pdu.sar_msg_ref_num !== undefined) {
    return { joined_by: 'sar', part: [pdu.sar_msg_ref_num, pdu.sar_total_segments, pdu.sar_segment_seqnum] };
  }
  for (const element of pdu.short_message.udh || []) {
    if (element[0] === 0) return { joined_by: '8BIT', part: [...element.subarray(2)] };
    if (element[0] === 8) return { joined_by: '16BIT', part: [element.readUInt16BE(2), ...element.subarray(4)] };
  }
  return { joined_by: null, part: null };
}

function submitted(pdu) {
  const id = newId();
  const { message } = pdu.short_message;
  const payload = pdu.message_payload && pdu.message_payload.message;
  tell({
    event: 'submit',
    id,
    source: pdu.source_addr,
    destination: pdu.destination_addr,
    esm_class: pdu.esm_class,
    data_coding: pdu.data_coding,
    registered_delivery: pdu.registered_delivery,
    ...concatenation(pdu),
    text: payload || message,
  });
  return id;
}

function serve(session) {
  session.on('error', (error) => tell({ event: 'error', message: error.message }));
  for (const mode of ['transceiver', 'receiver', 'transmitter']) {
    session.on(`bind_${mode}`, (pdu) => {
      const wrong = pdu.password !== 'secret';
      tell({ event: 'bind', mode, system_id: pdu.system_id, version: pdu.interface_version, refused: wrong });
      const status = wrong ? smpp.ESME_RINVPASWD : smpp.ESME_ROK;
      session.send(pdu.response({ command_status: status, system_id: 'peer' }));
      if (!wrong && mode !== 'transmitter') listeners.push(session);
    });
  }
  session.on('submit_sm', (pdu) => session.send(pdu.response({ message_id: submitted(pdu) })));
  session.on('enquire_link', (pdu) => {
    tell({ event: 'enquire_link' });
    session.send(pdu.response());
  });
  session.on('unbind', (pdu) => {
    tell({ event: 'unbind' });
    session.send(pdu.response());
    session.close();
  });
  session.on('close', () => {
    tell({ event: 'close' });
    if (listeners.includes(session)) listeners.splice(listeners.indexOf(session), 1);
  });
}

const tls = key ? { key: fs.readFileSync(key), cert: fs.readFileSync(certificate) } : {};
const server = smpp.createServer(tls, serve);
server.listen(0, '127.0.0.1', () => tell({ event: 'listening', port: server.address().port }));

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const told = JSON.parse(line);
  listeners[0].deliver_sm(
    {
      source_addr_ton: 1,
      source_addr_npi: 1,
      source_addr: told.source,
      destination_addr: told.destination,
      esm_class: told.esm_class,
      data_coding: told.data_coding,
      short_message: Buffer.from(told.hex, 'hex'),
      ...told.tlvs,
    },
    (answer) => tell({ event: 'answered', tag: told.tag, status: answer.command_status })
  );
});
process.stdin.on('end', () => process.exit(0));
