/// The pages' shared state: the server as we know it, and the draft of changes.
package struct Model {
    package init() {}
}
