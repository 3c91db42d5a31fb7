/** The checks that need types, one after the other over one program. */
import "./typecheck.js"
import "./docs.js"
