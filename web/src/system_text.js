// What happened to a group, as a line of names and words.
import { CtrlType } from 'hongyan-client';
import { nameOf } from './dom.js';

function names(uids, me) {
  return uids.flatMap((uid, index) => [index > 0 ? ', ' : '', uid === me ? 'you' : nameOf(uid)]);
}

// Of many the server tells some names and how many there are. left: who of them stands elsewhere in the line.
function those(uids, event, me, left = 0) {
  const more = event.memberCount - left - uids.length;
  if (more <= 0) return names(uids, me);
  return [...names(uids, me), `${uids.length > 0 ? ' and ' : ''}${more} more`];
}

/** Nodes and texts for a message with an event. */
export function systemText({ from, event }, me) {
  const who = from === me ? 'You' : nameOf(from);
  switch (event.type) {
    case CtrlType.CTRL_TYPE_CREATE_GROUP: {
      const others = event.members.filter((uid) => uid !== from);
      const told = those(others, event, me, 1);
      return [who, ' created the group ', nameOf(event.name), ...(told.length > 0 ? [' with ', ...told] : [])];
    }
    case CtrlType.CTRL_TYPE_ADD_MEMBERS:
      return [who, ' added ', ...those(event.members, event, me)];
    case CtrlType.CTRL_TYPE_REMOVE_MEMBERS:
      return [who, ' removed ', ...those(event.members, event, me)];
    case CtrlType.CTRL_TYPE_INVITE_MEMBERS:
      return [who, ' invited ', ...those(event.members, event, me)];
    case CtrlType.CTRL_TYPE_JOIN_GROUP:
      return [who, ' joined'];
    case CtrlType.CTRL_TYPE_EXIT_GROUP:
      return [who, ' left'];
    case CtrlType.CTRL_TYPE_DELETE_GROUP:
      return [who, ' dissolved the group'];
    case CtrlType.CTRL_TYPE_MODIFY_ANNOUNCEMENT:
      return [who, ' announced: ', nameOf(event.announcement)];
    case CtrlType.CTRL_TYPE_TRANSFER_OWNER:
      return [who, ' made ', ...names([event.owner], me), ' the owner'];
    case CtrlType.CTRL_TYPE_RENAME:
      return [who, ' renamed the group to ', nameOf(event.name)];
    default:
      return [who, ' changed the group'];
  }
}
