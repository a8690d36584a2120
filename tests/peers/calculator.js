// Reads texts as JSON lines, answers each with how the calculator would cut it: {encoding, parts}.
'use strict';

const readline = require('readline');
const { SegmentedMessage } = require(require.resolve('sms-segments-calculator', { paths: [process.argv[2]] }));

readline.createInterface({ input: process.stdin, crlfDelay: Infinity }).on('line', (line) => {
  const message = new SegmentedMessage(JSON.parse(line));
  const parts = message.segments.map((segment) =>
    // its segments are arrays of a class of their own, whose map() would add headers
    Array.from(segment)
      .filter((character) => !character.isUserDataHeader)
      .map((character) => character.raw)
      .join('')
  );
  process.stdout.write(`${JSON.stringify({ encoding: message.getEncodingName(), parts })}\n`);
});
