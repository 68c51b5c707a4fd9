/** Tells addresses that anyone may be asked to fetch from (public) from those of this machine and its networks. */
import { BlockList, isIP } from 'node:net';

/**
 * IPv4 that is not globally reachable: IANA's special-purpose registry (RFC 6890 and after), multicast and
 * reserved. Cloud metadata services lie in 169.254.0.0/16, Alibaba's in 100.64.0.0/10 (100.100.100.200).
 */
const privateFour = makeList('ipv4', [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]);

/** Only 2000::/3 is given out as global unicast; what lies outside (loopback, local, mapped, multicast) is refused. */
const globalSix = makeList('ipv6', [['2000::', 3]]);

/** Inside it: protocol assignments and Teredo, documentation, 6to4 (which hides an IPv4 address). */
const privateSix = makeList('ipv6', [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]);

const loopback = makeList('ipv4', [['127.0.0.0', 8]]);
loopback.addAddress('::1', 'ipv6');

/** True for an IP address of the public internet; false for all others and for text that is no address. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !privateFour.check(address, 'ipv4');
    case 6:
      return globalSix.check(address, 'ipv6') && !privateSix.check(address, 'ipv6');
    default:
      return false;
  }
}

/** True for 127.0.0.0/8 and ::1. */
export function isLoopbackAddress(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && loopback.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

function makeList(family: 'ipv4' | 'ipv6', subnets: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of subnets) list.addSubnet(network, prefix, family);
  return list;
}
