/**
 * The last look before an insert leaves a loading thread. Between the decision to insert and the moment when its bytes go out the driver
 * may have looked for a server for longer than a lease.
 */

let held: () => boolean = () => true;

/** From now on nothing is inserted by this thread while `isHeld` says no. */
export function gateWrites(isHeld: () => boolean): void {
  held = isHeld;
}

/** Whether an insert may go out now. */
export function mayWrite(): boolean {
  return held();
}
